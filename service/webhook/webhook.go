// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package webhook sends messages to the webhooks of apps: it is a [lifecycle.Notifier]
// over HTTP. Messages are signed as Standard Webhooks 1.0 says, so that receivers can
// verify them with any of its libraries.
//
// Where a webhook leads is said by a member, who may mean to have the service call what
// only it can reach. Every address is therefore judged by [dialguard] as it is dialled,
// like those of backends, redirects are not followed, no proxy of the environment is
// used, and of the answer nothing but its status is told.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/dataservice/terraform-provider-dataservice/service"
	"github.com/dataservice/terraform-provider-dataservice/service/dialguard"
	"github.com/dataservice/terraform-provider-dataservice/service/lifecycle"
	"github.com/dataservice/terraform-provider-dataservice/service/tracing"
)

const (
	// Timeout bounds one attempt, from the look-up of the host to the end of the answer.
	Timeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that its connection can be
	// used again; one that says more is cut off.
	maxAnswer = 16 << 10
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 32 << 10
)

// SecretPrefix begins a secret whose rest is the key in base64, as Standard Webhooks
// writes it. Another secret is the key itself.
const SecretPrefix = "whsec_"

// The headers of a message.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Options are what a [Sender] is made of.
type Options struct {
	// Policy judges each address that is dialled; [dialguard.Backends] without any range
	// where nil.
	Policy *dialguard.Policy
	// Version is that of the program, which messages name.
	Version string
}

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	client    *http.Client
	transport *http.Transport
	agent     string
}

var _ lifecycle.Notifier = (*Sender)(nil)

// New returns a sender.
func New(o Options) *Sender {
	if o.Policy == nil {
		o.Policy = dialguard.Backends(nil)
	}
	s := &Sender{
		agent: strings.TrimSuffix("dataservice/"+o.Version, "/"),
		transport: &http.Transport{
			DialContext:            o.Policy.Dialer(nil).DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    Timeout,
			MaxIdleConnsPerHost:    1,
			MaxIdleConns:           64,
			IdleConnTimeout:        time.Minute,
			MaxResponseHeaderBytes: maxHeader,
		},
	}
	s.client = &http.Client{
		Transport:     s.transport,
		Timeout:       Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// Close closes the connections that are kept.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Notify posts the message. Any 2xx is an arrival; the error says why not, without what
// the service alone can see of its network.
func (s *Sender) Notify(ctx context.Context, m lifecycle.WebhookMessage) error {
	target, err := url.Parse(m.URL)
	if err != nil {
		return service.Errorf(service.CodeInvalid, "The address of the webhook cannot be read.")
	}
	if dialguard.IsNumeric(target.Hostname()) {
		return service.Errorf(service.CodeInvalid, "The host %s of the webhook is a number that can be read as more than one address: write the address in its usual form.", target.Hostname())
	}
	signature, err := Sign(m.Secret, m.ID, m.At, m.Payload)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Payload))
	if err != nil {
		return service.Errorf(service.CodeInvalid, "The address of the webhook cannot be called.")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.agent)
	req.Header.Set(headerID, m.ID)
	req.Header.Set(headerTimestamp, strconv.FormatInt(m.At.Unix(), 10))
	req.Header.Set(headerSignature, signature)
	ctx, span := tracing.Child(ctx, "POST webhook", trace.SpanKindClient)
	defer span.End()
	if span.Recording() {
		// Neither path nor query: there are receivers that keep a secret there.
		span.Set(attribute.String("http.request.method", http.MethodPost), attribute.String("server.address", target.Hostname()))
		req.Header.Set("Traceparent", span.Traceparent())
	}
	resp, err := s.client.Do(req.WithContext(ctx))
	if err != nil {
		span.Fail("no answer")
		return refusal(target, err)
	}
	span.Set(attribute.Int("http.response.status_code", resp.StatusCode))
	defer resp.Body.Close()
	if _, err := io.CopyN(io.Discard, resp.Body, maxAnswer); err != nil && !errors.Is(err, io.EOF) {
		return service.Errorf(service.CodeUnavailable, "%s began to answer %d and did not end.", target.Hostname(), resp.StatusCode)
	}
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		return nil
	case resp.StatusCode >= 300 && resp.StatusCode < 400:
		return service.Errorf(service.CodeUnavailable, "%s answered %d: redirects are not followed, so name the address that they lead to.", target.Hostname(), resp.StatusCode)
	default:
		return service.Errorf(service.CodeUnavailable, "%s answered %d.", target.Hostname(), resp.StatusCode)
	}
}

// refusal says in a sentence why there was no answer.
func refusal(target *url.URL, err error) error {
	var (
		refused *dialguard.Refusal
		unknown *net.DNSError
		timeout net.Error
		reason  string
	)
	switch {
	case errors.As(err, &refused):
		reason = "may not be called: it is " + refused.Why
	case errors.As(err, &unknown) && unknown.IsNotFound:
		reason = "is not a name that can be found"
	case errors.As(err, &timeout) && timeout.Timeout():
		reason = "did not answer within " + Timeout.String()
	case errors.As(err, new(*net.OpError)):
		reason = "cannot be reached"
	default:
		reason = "did not answer in a way that can be read"
	}
	return &service.Error{Code: service.CodeUnavailable, Message: target.Hostname() + " " + reason + ".", Cause: err}
}

// Sign returns the signature of a message: "v1," and, in base64, the HMAC-SHA256 of its
// id, its time in seconds and its body, joined by full stops.
func Sign(secret service.Secret, id string, at time.Time, payload []byte) (string, error) {
	key := []byte(secret.Reveal())
	if text, found := strings.CutPrefix(secret.Reveal(), SecretPrefix); found {
		var err error
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return "", &service.Error{Code: service.CodeInternal, Message: "The webhook secret of the app cannot be read.", Cause: err}
		}
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
	mac.Write(payload)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
