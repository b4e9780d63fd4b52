// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

package lifecycle

import (
	"context"
	"errors"
	"time"

	"github.com/dataservice/terraform-provider-dataservice/service"
)

// Clock tells the time, so that tests can move it.
type Clock interface {
	// Now returns the current time.
	Now() time.Time
}

// Store keeps the records. sqlstore implements it on SQLite and PostgreSQL; one
// conformance suite (service/sqlstore/storetest) says what is expected.
type Store interface {
	// View runs fn on a consistent snapshot that nothing writes to.
	View(ctx context.Context, fn func(Tx) error) error
	// Glance is View for an fn that reads once: what it reads twice may have changed between.
	Glance(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in a transaction and commits where fn returns nil. What is
	// committed is on disk when Update returns. fn may be run again after a
	// serialization failure, so it must have no other effect.
	Update(ctx context.Context, fn func(Tx) error) error
	// Shared reports whether other processes may be on the store too.
	Shared() bool
	// Listen calls heard, from one goroutine, with what the store tells of by itself, until
	// ctx ends. It may miss things and tell of nothing: who follows route changes looks for
	// them from time to time too.
	Listen(ctx context.Context, heard func(Hint))
	// Ping reports whether the store answers.
	Ping(ctx context.Context) error
	// Close waits for transactions under way and closes the store.
	Close() error
}

// Hint is what a store tells of by itself.
type Hint int

// The hints.
const (
	// HintListening: from now on it tells; what was before is not told.
	HintListening Hint = iota
	// HintDeaf: for the time being it tells nothing.
	HintDeaf
	// HintChanges: somebody announced changes.
	HintChanges
	// HintCalled: somebody waits for the gateways, see [Tx.CallGateways].
	HintCalled
)

// ErrOutcomeUnknown is wrapped by the error of an [Store.Update] whose commit was sent
// and not answered: it happened, or it did not.
var ErrOutcomeUnknown = errors.New("it is not known whether the change was committed")

// Page bounds a list: the records after the one with the id After ("" from the
// start), at most Limit, in the order of their ids.
type Page struct {
	After string
	Limit int
}

// Tx is one transaction. Its methods return an [service.Error]: CodeNotFound where a
// record is missing, CodeAlreadyExists where a name or path is taken, CodeConflict
// where a guarded update meets another row version, CodeBusy where the instance
// lock is held for too long, CodeUnavailable where the store does not answer.
//
// A ref is an id, a name, or, for numbered kinds, a number in decimal.
// Create* set nothing but what their argument has, except Number, which they assign
// to the record they are given. Update* name the RowVersion that was read and count
// it up, in the record too.
type Tx interface {
	// Announce tells the gateways, once the transaction is committed, that these things
	// are not what they were.
	Announce(ctx context.Context, changes ...Change) error
	// LastRouteChange returns the newest of what was announced; zero where nothing was ever.
	LastRouteChange(ctx context.Context) (RouteChange, error)
	// RouteChanges returns what was announced from that revision on, in the order of the
	// commits, at most limit. Revisions count from 1 without a gap; the oldest are removed.
	RouteChanges(ctx context.Context, from int64, limit int) ([]RouteChange, error)
	// PurgeRouteChanges removes those made before that time, but not the newest, nor what a
	// live gateway has yet to read.
	PurgeRouteChanges(ctx context.Context, before time.Time) error

	// Gateways. PutGateway sets SeenAt to the store's time; all else but Revision is for good.
	PutGateway(ctx context.Context, g service.Gateway) error
	RemoveGateway(ctx context.Context, id string) error
	// Gateways returns those that were seen in the last [service.GatewayForgottenAfter].
	Gateways(ctx context.Context) ([]service.Gateway, error)
	// PurgeGateways removes the others.
	PurgeGateways(ctx context.Context) error
	// PutTraffic adds what a gateway counted in a minute, and notes that it tells. Of a minute
	// that it told of before nothing changes.
	PutTraffic(ctx context.Context, gatewayID string, tallies []service.Tally) error
	// Traffic returns what all gateways told of an API in an environment from that minute on.
	Traffic(ctx context.Context, apiID, environmentID string, since time.Time) ([]service.Tally, error)
	// PurgeTraffic removes what is about minutes before that time.
	PurgeTraffic(ctx context.Context, before time.Time) error
	// CallGateways asks every gateway, once the transaction is committed, to put itself down
	// now, and for a while with every change that it serves.
	CallGateways(ctx context.Context) error

	// Workspaces and members. What was removed is not found and not listed any more.
	CreateWorkspace(ctx context.Context, w *service.Workspace) error
	UpdateWorkspace(ctx context.Context, w *service.Workspace) error
	// RemoveWorkspace keeps the record with all that belongs to it, and frees its name and
	// the host names of its instances.
	RemoveWorkspace(ctx context.Context, id string, at time.Time) error
	Workspace(ctx context.Context, ref string) (service.Workspace, error)
	Workspaces(ctx context.Context, page Page) ([]service.Workspace, error)
	// LockWorkspace waits for the transactions that add something to the workspace, and
	// keeps others from it until this one ends.
	LockWorkspace(ctx context.Context, id string) error
	CreateMember(ctx context.Context, m service.Member) error
	// UpdateMember removes the member where RemovedAt says so, and brings back one that was
	// removed where it does not.
	UpdateMember(ctx context.Context, m *service.Member) error
	// RemovedMember returns the removed member of that name.
	RemovedMember(ctx context.Context, workspaceID, name string) (service.Member, error)
	// LockMember waits for the transactions that make something the member's, and keeps
	// others from it until this one ends.
	LockMember(ctx context.Context, id string) error
	// HoldMember returns the member, and keeps it and its workspace from being removed, and
	// the member from being changed, until the transaction ends. Many may hold it at once.
	HoldMember(ctx context.Context, workspaceID, id string) (service.Member, error)
	Member(ctx context.Context, workspaceID, ref string) (service.Member, error)
	Members(ctx context.Context, workspaceID string, page Page) ([]service.Member, error)

	// Tokens, found by the SHA-256 of their secret.
	CreateToken(ctx context.Context, t service.Token, hash []byte) error
	Token(ctx context.Context, workspaceID, id string) (service.Token, error)
	TokenByHash(ctx context.Context, hash []byte) (service.Token, error)
	// Tokens returns those of one member, or of all where memberID is "".
	Tokens(ctx context.Context, workspaceID, memberID string, page Page) ([]service.Token, error)
	RevokeToken(ctx context.Context, workspaceID, id string, at time.Time) error
	// RevokeTokens ends every token of a member, or of the workspace where memberID is "",
	// that has not ended, and returns how many those are.
	RevokeTokens(ctx context.Context, workspaceID, memberID string, at time.Time) (int64, error)

	// Access keys. Their secrets go in and come out in clear and lie encrypted.
	// CreateAccessKey answers CodeConflict where the member has MaxAccessKeys already.
	CreateAccessKey(ctx context.Context, k service.AccessKey, secret service.Secret) error
	DeleteAccessKey(ctx context.Context, workspaceID, id string) error
	// DeleteAccessKeys removes those of one member, or of the workspace where memberID is
	// "", and returns how many those were.
	DeleteAccessKeys(ctx context.Context, workspaceID, memberID string) (int64, error)
	AccessKey(ctx context.Context, workspaceID, id string) (service.AccessKey, error)
	// AccessKeys returns those of one member, or of all where memberID is "".
	AccessKeys(ctx context.Context, workspaceID, memberID string, page Page) ([]service.AccessKey, error)
	// Signer returns whose access key it is, of whatever workspace; never somebody who was
	// removed.
	Signer(ctx context.Context, accessKeyID string) (Signer, error)
	// UseNonce notes a nonce of the access key until that time. It reports false where it is
	// noted already.
	UseNonce(ctx context.Context, accessKeyID, nonce string, until time.Time) (fresh bool, err error)
	// PurgeNonces removes those whose time was over before that time.
	PurgeNonces(ctx context.Context, before time.Time) error

	// Instances and environments. An instance's ReleaseEnvironmentID is filled in.
	CreateInstance(ctx context.Context, i *service.Instance) error
	UpdateInstance(ctx context.Context, i *service.Instance) error
	// DeleteInstance removes an instance that has no environment any more.
	DeleteInstance(ctx context.Context, workspaceID, id string) error
	Instance(ctx context.Context, workspaceID, ref string) (service.Instance, error)
	// InstanceOfHost returns the instance that has the host name, of whatever workspace.
	InstanceOfHost(ctx context.Context, host string) (service.Instance, error)
	// Instances returns those of one workspace, or of all where workspaceID is "".
	Instances(ctx context.Context, workspaceID string, page Page) ([]service.Instance, error)
	// LockInstance holds the instance's publishing lock until the transaction ends.
	// It waits a bounded time for another holder, then returns CodeBusy.
	LockInstance(ctx context.Context, id string) error
	CreateEnvironment(ctx context.Context, e service.Environment) error
	UpdateEnvironment(ctx context.Context, e *service.Environment) error
	DeleteEnvironment(ctx context.Context, workspaceID, id string) error
	// Environment takes an id, or the name of an environment of the default instance.
	// [service.ReleaseEnvironmentID] is RELEASE of that instance in every workspace.
	Environment(ctx context.Context, workspaceID, ref string) (service.Environment, error)
	Environments(ctx context.Context, workspaceID string, page Page) ([]service.Environment, error)

	// Connections; the password goes in and comes out in clear and lies encrypted.
	CreateConnection(ctx context.Context, c *service.Connection) error
	UpdateConnection(ctx context.Context, c *service.Connection) error
	DeleteConnection(ctx context.Context, workspaceID, id string) error
	Connection(ctx context.Context, workspaceID, ref string) (service.Connection, error)
	Connections(ctx context.Context, workspaceID string, page Page) ([]service.Connection, error)

	// Groups and folders.
	CreateGroup(ctx context.Context, g service.Group) error
	UpdateGroup(ctx context.Context, g *service.Group) error
	DeleteGroup(ctx context.Context, workspaceID, id string) error
	Group(ctx context.Context, workspaceID, ref string) (service.Group, error)
	Groups(ctx context.Context, workspaceID string, page Page) ([]service.Group, error)
	// LockGroup holds the group's lock until the transaction ends. It waits a bounded
	// time for another holder, then returns CodeBusy.
	LockGroup(ctx context.Context, id string) error
	CreateFolder(ctx context.Context, f *service.Folder) error
	// UpdateFolder changes everything but the group, which is for good.
	UpdateFolder(ctx context.Context, f *service.Folder) error
	DeleteFolder(ctx context.Context, workspaceID, id string) error
	// Folder takes an id or a number: names are unique in one place only.
	Folder(ctx context.Context, workspaceID, ref string) (service.Folder, error)
	Folders(ctx context.Context, workspaceID string, filter FolderFilter, page Page) ([]service.Folder, error)

	// APIs and the revisions of their definitions. An API's debug status and message
	// are those of the record of its current revision, so PutRevision changes them
	// without touching the API's row version.
	// CreateAPI and UpdateAPI also keep the record of the current revision.
	CreateAPI(ctx context.Context, a *service.API) error
	UpdateAPI(ctx context.Context, a *service.API) error
	// DeleteAPI removes the API with its revisions, publications, versions and reviews.
	DeleteAPI(ctx context.Context, workspaceID, id string) error
	API(ctx context.Context, workspaceID, ref string) (service.API, error)
	APIs(ctx context.Context, workspaceID string, filter APIFilter, page Page) ([]service.API, error)
	// Sees reports whether sight shows the API: what narrows the lists, for one thing.
	Sees(ctx context.Context, sight Sight, apiID string) (bool, error)
	// APIsUsingConnection returns those whose current definition reads from it.
	APIsUsingConnection(ctx context.Context, connectionID string) ([]service.API, error)
	// PutRevision creates the revision, or replaces its debug status and message; one
	// that was debugged successfully stays so.
	PutRevision(ctx context.Context, r service.Revision) error
	Revision(ctx context.Context, apiID string, number int64) (service.Revision, error)

	// Debug reports: one for each revision, and those of the newest revisions alone. They lie
	// encrypted, and go with their API.
	PutDebugReport(ctx context.Context, r service.DebugReport) error
	DebugReport(ctx context.Context, apiID string, revision int64) (service.DebugReport, error)

	// Test calls that are answered later, newest first.
	CreateDebugRun(ctx context.Context, r *service.DebugRun) error
	// FinishDebugRun stores how a call went that is RUNNING; CodeNotFound where there is no
	// such call, or not any more.
	FinishDebugRun(ctx context.Context, r service.DebugRun) error
	// DebugRun takes an id or a number.
	DebugRun(ctx context.Context, workspaceID, ref string) (service.DebugRun, error)
	DebugRuns(ctx context.Context, workspaceID, apiID string, page Page) ([]service.DebugRun, error)
	// PurgeDebugRuns removes those made before that time.
	PurgeDebugRuns(ctx context.Context, before time.Time) error

	// Publications, with Live, OpenReview, Rejection and AuthorizedApps filled in. The
	// applications of authorizations are theirs, not the publication's.
	CreatePublication(ctx context.Context, p *service.Publication) error
	UpdatePublication(ctx context.Context, p *service.Publication) error
	// EndPublications stores those whose announced end has come, all at once: their status,
	// that they have no deadline, and that what they lack now is not there any more. They
	// change at their UpdatedAt, which is the same; CodeConflict where one of them no longer
	// waits for its end.
	EndPublications(ctx context.Context, ended []service.Publication) error
	DeletePublication(ctx context.Context, workspaceID, id string) error
	Publication(ctx context.Context, workspaceID, id string) (service.Publication, error)
	PublicationOf(ctx context.Context, apiID, environmentID string) (service.Publication, error)
	Publications(ctx context.Context, workspaceID string, filter PublicationFilter, page Page) ([]service.Publication, error)
	// ClaimPaths makes these the paths that the publication occupies in its
	// environment, in place of those that it had. CodeAlreadyExists names the API
	// that holds one already.
	ClaimPaths(ctx context.Context, p service.Publication, claims []PathClaim) error
	// PathHolders returns where in the workspace an API other than the one with that id
	// occupies the path, by the name of the environment.
	PathHolders(ctx context.Context, workspaceID, exceptAPIID string, claim PathClaim) ([]service.TakenPath, error)
	// ReleasePaths frees every path that the publications occupy.
	ReleasePaths(ctx context.Context, publicationIDs []string) error
	// ServedPublications returns every publication that the gateway knows, of all
	// workspaces, and of one instance where that is named: those in a status that is
	// [service.Status.Served].
	ServedPublications(ctx context.Context, instanceID string, page Page) ([]service.Publication, error)
	// ServedPublicationsOf returns those among them that have one of these ids, in the order
	// of the ids: the gateway is told ids alone and serves every workspace.
	ServedPublicationsOf(ctx context.Context, ids []string) ([]service.Publication, error)

	// Versions of a publication, newest first; Live is that of the publication.
	CreateVersion(ctx context.Context, v *service.Version) error
	// UpdateVersion changes LiveSince and LiveBy alone: a version is for good.
	UpdateVersion(ctx context.Context, v service.Version) error
	Version(ctx context.Context, publicationID, name string) (service.Version, error)
	// VersionByID returns that of whatever publication of the workspace.
	VersionByID(ctx context.Context, workspaceID, id string) (service.Version, error)
	Versions(ctx context.Context, publicationID string) ([]service.Version, error)
	// PruneVersions removes all versions but the live one, those that an open review
	// names, and as many of the others as are to be kept, which are those that were live
	// last. It returns the names of what it removed, oldest first.
	PruneVersions(ctx context.Context, publicationID string, keep int) ([]string, error)

	// Apps. Their secrets go in and come out in clear and lie encrypted.
	CreateApp(ctx context.Context, a *service.App, webhookSecret service.Secret) error
	// UpdateApp changes everything but type and key, which are for good.
	UpdateApp(ctx context.Context, a *service.App) error
	// DeleteApp removes the app with its keys, authorizations and applications.
	DeleteApp(ctx context.Context, workspaceID, id string) error
	App(ctx context.Context, workspaceID, ref string) (service.App, error)
	Apps(ctx context.Context, workspaceID string, filter AppFilter, page Page) ([]service.App, error)
	// WebhookSecret returns the key that the app's webhooks are signed with.
	WebhookSecret(ctx context.Context, appID string) (service.Secret, error)
	// PutKeyGenerations makes these the app's generations, in place of those that it had.
	PutKeyGenerations(ctx context.Context, appID string, generations []KeyGeneration) error
	// AppKey returns the key of an app of type APP, of whatever workspace; CodeNotFound for IAM.
	AppKey(ctx context.Context, appID string) (AppKey, error)
	// AppKeys returns the keys of every app of type APP, of all workspaces, in the order of
	// the apps' ids.
	AppKeys(ctx context.Context, page Page) ([]AppKey, error)
	// IAMTokens returns the tokens, of all workspaces, whose member has an IAM app: those of
	// one member, or of all where memberID is "". Tokens that are over are among them while
	// somebody may still call with them: until since is past the end that they were issued
	// with, or past their revocation where they had none.
	IAMTokens(ctx context.Context, memberID string, since time.Time) ([]IAMToken, error)

	// Authorizations, with OpenReview and Rejection filled in.
	CreateAuthorization(ctx context.Context, z *service.Authorization) error
	UpdateAuthorization(ctx context.Context, z *service.Authorization) error
	Authorization(ctx context.Context, workspaceID, id string) (service.Authorization, error)
	AuthorizationOf(ctx context.Context, publicationID, appID string) (service.Authorization, error)
	Authorizations(ctx context.Context, workspaceID string, filter AuthorizationFilter, page Page) ([]service.Authorization, error)
	// CancelAuthorizations makes those that hold CANCELLED; CodeConflict where one of them
	// holds no more.
	CancelAuthorizations(ctx context.Context, ids []string, at time.Time) error
	// DueAuthorizations returns those of the instance that hold and whose Until or RevokeAt
	// is not after that time, soonest first.
	DueAuthorizations(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Authorization, error)
	// NextAuthorizationEnd returns the soonest Until or RevokeAt of all that hold; false
	// where none ends by itself.
	NextAuthorizationEnd(ctx context.Context) (time.Time, bool, error)
	// Grants returns who may call, or once might, the publications with these ids, of
	// whatever workspace, in the order of the publications' ids.
	Grants(ctx context.Context, publicationIDs []string) ([]Grant, error)

	// Reviews, newest first.
	CreateReview(ctx context.Context, r service.Review) error
	// CloseReview sets status, decider, comment and time of a PENDING review;
	// CodeConflict where it is no longer pending.
	CloseReview(ctx context.Context, r service.Review) error
	Review(ctx context.Context, workspaceID, id string) (service.Review, error)
	Reviews(ctx context.Context, workspaceID string, filter ReviewFilter, page Page) ([]service.Review, error)

	// Notices, newest first.
	CreateNotices(ctx context.Context, notices []service.Notice) error
	// CloseNotices gives OPEN notices their final status; CodeConflict where one of them
	// is no longer open. confirmedBy is "" but for CONFIRMED.
	CloseNotices(ctx context.Context, ids []string, status service.NoticeStatus, confirmedBy string, at time.Time) error
	// ScheduleNotice sets ConfirmAt and ScheduledBy of an OPEN notice; CodeConflict where it
	// is no longer open.
	ScheduleNotice(ctx context.Context, n service.Notice) error
	// DueNotices returns the OPEN ones of the instance whose ConfirmAt is not after that time,
	// soonest first.
	DueNotices(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Notice, error)
	// NextConfirmation returns the soonest ConfirmAt of all OPEN notices; false where there is none.
	NextConfirmation(ctx context.Context) (time.Time, bool, error)
	Notice(ctx context.Context, workspaceID, id string) (service.Notice, error)
	Notices(ctx context.Context, workspaceID string, filter NoticeFilter, page Page) ([]service.Notice, error)
	// OpenNotices returns every open notice of the publications, of whatever workspace.
	OpenNotices(ctx context.Context, publicationIDs ...string) ([]service.Notice, error)
	// AppsWithWebhook returns those of the apps that have a webhook.
	AppsWithWebhook(ctx context.Context, appIDs []string) ([]string, error)
	// DueInstances returns the instances, of all workspaces, in which a publication's
	// deadline, the end of an authorization or the time to confirm a notice is not after that
	// time.
	DueInstances(ctx context.Context, at time.Time) ([]string, error)
	// DuePublications returns those of the instance whose deadline is not after that time,
	// soonest first.
	DuePublications(ctx context.Context, instanceID string, at time.Time, limit int) ([]service.Publication, error)
	// NextDeadline returns the soonest deadline of all publications; false where there is none.
	NextDeadline(ctx context.Context) (time.Time, bool, error)
	// Backlog returns what waits in all workspaces, with what was due at that time; Gateways
	// is left out.
	Backlog(ctx context.Context, at time.Time) (Backlog, error)

	// Deliveries to the webhooks of apps, newest first.
	CreateDeliveries(ctx context.Context, deliveries []service.Delivery) error
	// ClaimDeliveries takes, for each app that is not busy, the first of its deliveries that
	// are PENDING and due at that time, of at most limit apps. It counts their attempt, and
	// makes them due again at until, before which nobody else claims them.
	ClaimDeliveries(ctx context.Context, at, until time.Time, busy []string, limit int) ([]service.Delivery, error)
	// UpdateDelivery sets how a delivery went; CodeConflict where its status or its
	// attempts are not those of before.
	UpdateDelivery(ctx context.Context, before, after service.Delivery) error
	Delivery(ctx context.Context, workspaceID, id string) (service.Delivery, error)
	Deliveries(ctx context.Context, workspaceID string, filter DeliveryFilter, page Page) ([]service.Delivery, error)
	// NextDelivery returns the soonest next attempt of all workspaces; false where there is none.
	NextDelivery(ctx context.Context) (time.Time, bool, error)
	// PurgeDeliveries removes those made before that time that are not PENDING.
	PurgeDeliveries(ctx context.Context, before time.Time) error

	// Events. They are added and never changed or removed.
	// AppendEvent adds the event at the end of its workspace's chain: it assigns Sequence,
	// Number, PreviousHash and Hash.
	AppendEvent(ctx context.Context, e service.Event) error
	// Events returns those after the sequence number, oldest first, at most limit; where the
	// filter says Newest, those before it, newest first, and from the newest on for 0.
	Events(ctx context.Context, workspaceID string, filter EventFilter, after int64, limit int) ([]service.Event, error)
	// TrailHead returns where the chain of the workspace's events ends; zero where there is none.
	TrailHead(ctx context.Context, workspaceID string) (service.TrailHead, error)

	// Idempotency records.
	CreateIdempotency(ctx context.Context, r IdempotencyRecord) error
	Idempotency(ctx context.Context, memberID, key string) (IdempotencyRecord, error)
	// VoidIdempotency removes the records of that thing: all of them, or those of one
	// member where memberID is not "". It reports whether there were any.
	VoidIdempotency(ctx context.Context, thingID, memberID string) (bool, error)
	// HasIdempotency reports whether VoidIdempotency would find any.
	HasIdempotency(ctx context.Context, thingID, memberID string) (bool, error)
	// PurgeIdempotency removes the records made before that time.
	PurgeIdempotency(ctx context.Context, before time.Time) error
}

// Sight narrows what is read to what a member is shown: all but the private APIs of
// others, with their publications, reviews and events. A nil *Sight narrows nothing.
type Sight struct {
	// MemberID is who looks.
	MemberID string
	// Applications shows a private API of another member too while an application of it
	// is open.
	Applications bool
}

// FolderFilter narrows a list of folders; empty fields do not.
type FolderFilter struct {
	// GroupID keeps the folders of the group at every depth.
	GroupID string
	// ParentID keeps the folders that lie directly in that one.
	ParentID string
}

// APIFilter narrows a list of APIs; empty fields do not.
type APIFilter struct {
	// GroupID keeps the APIs of the group in every folder.
	GroupID string
	// FolderID keeps the APIs that lie directly in the folder.
	FolderID string
	// OwnerID keeps the member's own.
	OwnerID string
	// Owner is the id or the name of the member whose APIs are kept.
	Owner       string
	Mode        service.Mode
	Visibility  service.Visibility
	DebugStatus service.DebugStatus
	// Search keeps those that have it in their name or description, in whatever case.
	Search string
	Sight  *Sight
}

// CatalogFilter narrows the catalog; empty fields do not.
type CatalogFilter struct {
	// Environment is the id or the name of the environment; "" for RELEASE.
	Environment string
	// GroupID keeps the APIs of the group in every folder.
	GroupID string
	// FolderID keeps the APIs that lie directly in the folder.
	FolderID string
	Mode     service.Mode
	// Search keeps those that are live with it in their name or description, in whatever case.
	Search string
}

// PublicationFilter narrows a list of publications; empty fields do not.
type PublicationFilter struct {
	APIID, EnvironmentID string
	// APIIDs keeps those of any of the APIs.
	APIIDs []string
	Status service.Status
	// Callable keeps those that the gateway answers.
	Callable bool
	// GroupID and FolderID keep those of APIs that are filed there.
	GroupID, FolderID string
	// Mode and Search look at the live version.
	Mode   service.Mode
	Search string
	// Name keeps those whose API has it in its name, live or not, in whatever case.
	Name  string
	Sight *Sight
	// ConnectionID keeps publications whose live version or open candidate reads from it.
	ConnectionID string
}

// AppFilter narrows a list of apps; empty fields do not.
type AppFilter struct {
	OwnerID string
	Type    service.AppType
}

// KeyGeneration is one of the secrets and AppCodes of an app.
type KeyGeneration struct {
	// Generation counts from 1.
	Generation      int64
	Secret, AppCode service.Secret
	CreatedAt       time.Time
	// ValidUntil is nil for the present generation.
	ValidUntil *time.Time
}

// AppKey is what the calls of an app of type APP are recognised by.
type AppKey struct {
	AppID, AppName, WorkspaceID, OwnerID string
	Key                                  string
	// Generations holds the present one and maybe the one before it, newest first. One
	// whose time is over may be among them.
	Generations []KeyGeneration
}

// IAMToken is a token that an IAM app's owner calls with.
type IAMToken struct {
	// Hash is the SHA-256 of the token.
	Hash                                  [32]byte
	MemberID, AppID, AppName, WorkspaceID string
	// ExpiresAt is nil where it does not expire; its time may be over.
	ExpiresAt *time.Time
	// RevokedAt is there where it was revoked.
	RevokedAt *time.Time
}

// Grant is an app's right to call a publication as the gateway needs to know it.
type Grant struct {
	PublicationID, AppID, AppName string
	// Status may be any: what holds no more has an answer of its own.
	Status service.AuthorizationStatus
	// Until and RevokeAt are those of [service.Authorization].
	Until, RevokeAt *time.Time
	// UpdatedAt is when it last changed: of one that is WAITING_REVOKE, when that was announced.
	UpdatedAt time.Time
}

// AuthorizationFilter narrows a list of authorizations; empty fields do not.
type AuthorizationFilter struct {
	PublicationID, APIID, EnvironmentID, AppID string
	// PublicationIDs keeps those of any of the publications.
	PublicationIDs []string
	// AppOwnerID keeps those of the member's own apps.
	AppOwnerID string
	Statuses   []service.AuthorizationStatus
	// Sight shows the authorizations of its member's own apps in any case.
	Sight *Sight
}

// ReviewFilter narrows a list of reviews; empty fields do not.
type ReviewFilter struct {
	PublicationID   string
	AuthorizationID string
	// ApplicantID keeps those that the member applied for.
	ApplicantID string
	// Applicant is the id or the name of that member.
	Applicant            string
	APIID, EnvironmentID string
	Revision             int64
	Kind                 service.ReviewKind
	Status               service.ReviewStatus
	// Closed keeps those that are pending no more.
	Closed bool
	// Sight shows the reviews that its member applied for or decided in any case.
	Sight *Sight
}

// NoticeFilter narrows a list of notices; empty fields do not.
type NoticeFilter struct {
	PublicationID, APIID, EnvironmentID, AuthorizationID, AppID string
	// AppOwnerID keeps those to the member's own apps.
	AppOwnerID string
	Kind       service.NoticeKind
	Status     service.NoticeStatus
	// Sight shows the notices to its member's own apps in any case.
	Sight *Sight
}

// DeliveryFilter narrows a list of deliveries; empty fields do not.
type DeliveryFilter struct {
	AppID  string
	Status service.DeliveryStatus
}

// EventFilter narrows a list of events; empty fields do not.
type EventFilter struct {
	// Actor is the id or the name of who acted.
	Actor string
	// Action is how the action begins: "publication." keeps all that is about publications.
	Action string
	// ThingID is what it happened to.
	ThingID string
	// Since and Until bound the time: from Since on, and before Until.
	Since, Until *time.Time
	// Newest turns the order around: those before the sequence number, newest first.
	Newest bool
	// Sight leaves out what is private to another member.
	Sight *Sight
}

// PathClaim is a method and path that a publication occupies in its environment.
type PathClaim struct {
	Method service.Method
	Path   string
}

// IdempotencyRecord remembers the answer to a request with an Idempotency-Key.
type IdempotencyRecord struct {
	MemberID string
	Key      string
	// RequestHash is the SHA-256 of the operation and its input, in hex.
	RequestHash string
	// ThingID is the id of what the request made or changed.
	ThingID string
	// Answer is the result as JSON, without any secret.
	Answer    []byte
	CreatedAt time.Time
}

// Runner runs definitions against the users' databases and backends.
type Runner interface {
	// Check connects and makes sure that the connection may be used: it answers, and
	// its role or file keeps the read-only rule. CodeConnectionFailed otherwise, with a
	// Cause where the connection may work another time as it is.
	Check(ctx context.Context, c service.Connection) error
	// Validate prepares the definition against the connection without running it.
	// CodeInvalid carries a field per problem: undeclared or unused parameters, SQL that
	// does not prepare, response parameters that are no column of the result.
	Validate(ctx context.Context, d service.Definition, c service.Connection) error
	// Columns returns every column that the definition's SQL answers, each with a type that
	// it can be answered as. CodeInvalid as from Validate.
	Columns(ctx context.Context, d service.Definition, c service.Connection) (map[string]service.ResponseParameter, error)
	// Debug validates the definition and makes the call once, just as the gateway would,
	// with at most 10 rows. Where the call was answered with a failure, the result tells
	// what, and the error is CodeDebugFailed and tells why. A definition in registration
	// mode has no connection.
	Debug(ctx context.Context, d service.Definition, c service.Connection, call service.DebugInput) (service.DebugResult, error)
}

// ChangeKind is a kind of thing that the gateway serves by.
type ChangeKind string

// The kinds of change that a [Router] is told of.
const (
	// ChangePublication: a publication's status or live version changed, or it is gone.
	ChangePublication ChangeKind = "publication"
	// ChangeAuthorization: the apps that may call a publication changed; the id is the
	// publication's.
	ChangeAuthorization ChangeKind = "authorization"
	// ChangeConnection: a connection's parts or secret changed.
	ChangeConnection ChangeKind = "connection"
	// ChangeEnvironment: an environment's policy changed.
	ChangeEnvironment ChangeKind = "environment"
	// ChangeInstance: an instance's host names changed, or it is gone.
	ChangeInstance ChangeKind = "instance"
	// ChangeApp: an app's credentials changed, or it is gone.
	ChangeApp ChangeKind = "app"
	// ChangeMember: a member's tokens changed, or it is gone.
	ChangeMember ChangeKind = "member"
)

// Change is one thing that is not what it was.
type Change struct {
	Kind ChangeKind
	ID   string
}

// RouteChange is a change that was announced.
type RouteChange struct {
	// Revision counts the changes in the order of their commits.
	Revision int64
	Change
	At time.Time
}

// WebhookMessage is what a webhook is sent.
type WebhookMessage struct {
	URL string
	// Secret is the key of the signature.
	Secret service.Secret
	// ID is the same for every attempt.
	ID string
	// At is the time of this attempt.
	At      time.Time
	Payload []byte
}

// Notifier sends messages to the webhooks of apps.
type Notifier interface {
	// Notify sends the message once. The error says in a sentence, for the app's owner,
	// why it did not arrive, or may not have.
	Notify(ctx context.Context, m WebhookMessage) error
}

// Router is told when what the gateway serves may have changed.
type Router interface {
	// Changed returns when the gateway of this process serves the new state of all of
	// them. Where it cannot, it returns an error, and the gateway follows by itself as
	// soon as it can.
	Changed(ctx context.Context, changes ...Change) error
	// Serving tells which gateway this process has, and what it serves; false where it does
	// not follow what is announced.
	Serving() (service.Gateway, bool)
}
