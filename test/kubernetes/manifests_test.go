// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Package kubernetes checks the manifests in deploy/kubernetes against the types of the
// Kubernetes API. It is a module of its own, so that nobody else has to compile them.
package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const folder = "../../deploy/kubernetes"

// objects are all those of the manifests.
type objects struct {
	deployments []apps.Deployment
	services    []core.Service
	budgets     []policy.PodDisruptionBudget
	networks    []networking.NetworkPolicy
	configs     []core.ConfigMap
	secrets     []core.Secret
	namespaces  []core.Namespace
}

// read decodes every document. A field that the API does not know is an error.
func read(t *testing.T) (all objects) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no manifests: %v", err)
	}
	for _, file := range files {
		if filepath.Base(file) == "kustomization.yaml" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			var head struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}
			if err := yaml.Unmarshal(document, &head); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			switch head.APIVersion + " " + head.Kind {
			case "apps/v1 Deployment":
				all.deployments = add(t, file, document, all.deployments)
			case "v1 Service":
				all.services = add(t, file, document, all.services)
			case "policy/v1 PodDisruptionBudget":
				all.budgets = add(t, file, document, all.budgets)
			case "networking.k8s.io/v1 NetworkPolicy":
				all.networks = add(t, file, document, all.networks)
			case "v1 ConfigMap":
				all.configs = add(t, file, document, all.configs)
			case "v1 Secret":
				all.secrets = add(t, file, document, all.secrets)
			case "v1 Namespace":
				all.namespaces = add(t, file, document, all.namespaces)
			default:
				t.Errorf("%s has a %s %s, which is not checked", file, head.APIVersion, head.Kind)
			}
		}
	}
	return all
}

func add[T any](t *testing.T, file string, document []byte, list []T) []T {
	t.Helper()
	var object T
	if err := yaml.UnmarshalStrict(document, &object); err != nil {
		t.Errorf("%s: %v", file, err)
	}
	return append(list, object)
}

func TestTheManifestsAreOfTheAPIAndFitTogether(t *testing.T) {
	all := read(t)
	replicas := map[string]int32{}
	for _, d := range all.deployments {
		replicas[d.Name] = *d.Spec.Replicas
		pod := d.Spec.Template
		if !matches(d.Spec.Selector.MatchLabels, pod.Labels) {
			t.Errorf("%s does not select its pods", d.Name)
		}
		if len(pod.Spec.TopologySpreadConstraints) == 0 || !matches(pod.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels, pod.Labels) {
			t.Errorf("%s does not spread its pods", d.Name)
		}
		checkSecurity(t, d.Name, pod.Spec)
		checkVolumes(t, d.Name, pod.Spec, all)
		services, budgets := 0, 0
		for _, s := range all.services {
			if matches(s.Spec.Selector, pod.Labels) {
				services++
				for _, p := range s.Spec.Ports {
					if port(pod.Spec, p.TargetPort.String()) == nil {
						t.Errorf("service %s leads to the port %s, which %s does not have", s.Name, p.TargetPort.String(), d.Name)
					}
				}
			}
		}
		for _, b := range all.budgets {
			if matches(b.Spec.Selector.MatchLabels, pod.Labels) {
				budgets++
				if b.Spec.MinAvailable.IntVal >= *d.Spec.Replicas {
					t.Errorf("the budget of %s lets no node be emptied", d.Name)
				}
			}
		}
		if services != 1 || budgets != 1 {
			t.Errorf("%s has %d services and %d budgets", d.Name, services, budgets)
		}
		for _, n := range all.networks {
			if !matches(n.Spec.PodSelector.MatchLabels, pod.Labels) {
				t.Errorf("the policy %s does not concern %s", n.Name, d.Name)
			}
		}
	}
	if replicas["dataservice"] != 2 || replicas["dataservice-gateway"] != 3 || len(replicas) != 2 {
		t.Errorf("there are %v", replicas)
	}
	if len(all.networks) != 1 || len(all.networks[0].Spec.PolicyTypes) != 2 {
		t.Errorf("the policies are %+v", all.networks)
	}
}

// checkSecurity checks what the "restricted" standard asks for, and more.
func checkSecurity(t *testing.T, name string, pod core.PodSpec) {
	t.Helper()
	s := pod.SecurityContext
	if s == nil || !*s.RunAsNonRoot || *s.RunAsUser == 0 || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: the pod may be root: %+v", name, s)
	}
	if *pod.AutomountServiceAccountToken {
		t.Errorf("%s has a token of the cluster", name)
	}
	for _, c := range pod.Containers {
		own := c.SecurityContext
		if own == nil || *own.AllowPrivilegeEscalation || !*own.ReadOnlyRootFilesystem || !slices.Equal(own.Capabilities.Drop, []core.Capability{"ALL"}) {
			t.Errorf("%s: the container may do too much: %+v", name, own)
		}
		if c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.Resources.Limits.Memory().IsZero() {
			t.Errorf("%s: the container says nothing of what it needs", name)
		}
		for _, probe := range []*core.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
			if probe == nil || port(pod, probe.HTTPGet.Port.String()) == nil {
				t.Errorf("%s: a probe leads nowhere: %+v", name, probe)
			}
		}
		if c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
			t.Errorf("%s: the probes ask %s and %s", name, c.LivenessProbe.HTTPGet.Path, c.ReadinessProbe.HTTPGet.Path)
		}
	}
}

// checkVolumes checks that what is mounted is there.
func checkVolumes(t *testing.T, name string, pod core.PodSpec, all objects) {
	t.Helper()
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if v.ConfigMap != nil && !slices.ContainsFunc(all.configs, func(c core.ConfigMap) bool { return c.Name == v.ConfigMap.Name }) {
			t.Errorf("%s: there is no ConfigMap %s", name, v.ConfigMap.Name)
		}
		// The certificate is made by somebody else.
		if v.Secret != nil && v.Name != "tls" && !slices.ContainsFunc(all.secrets, func(s core.Secret) bool { return s.Name == v.Secret.SecretName }) {
			t.Errorf("%s: there is no Secret %s", name, v.Secret.SecretName)
		}
	}
	for _, c := range pod.Containers {
		for _, m := range c.VolumeMounts {
			if !volumes[m.Name] || m.SubPath != "" {
				t.Errorf("%s: %s is mounted from %q, by the path %q in it", name, m.MountPath, m.Name, m.SubPath)
			}
		}
	}
}

func port(pod core.PodSpec, name string) *core.ContainerPort {
	for _, c := range pod.Containers {
		for _, p := range c.Ports {
			if p.Name == name {
				return &p
			}
		}
	}
	return nil
}

func matches(selector, labels map[string]string) bool {
	for k, v := range selector {
		if labels[k] != v {
			return false
		}
	}
	return len(selector) > 0
}

func TestKustomizeIsGivenEveryManifest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var k struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Namespace  string   `json:"namespace"`
		Resources  []string `json:"resources"`
		Images     []struct {
			Name    string `json:"name"`
			NewName string `json:"newName"`
			NewTag  string `json:"newTag"`
		} `json:"images"`
	}
	if err := yaml.UnmarshalStrict(text, &k); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		listed := slices.Contains(k.Resources, name)
		if left := name == "kustomization.yaml" || strings.HasSuffix(name, ".example.yaml"); listed == left {
			t.Errorf("%s: in kustomization.yaml is %v", name, listed)
		}
	}
	all := read(t)
	for _, d := range all.deployments {
		if image := d.Spec.Template.Spec.Containers[0].Image; len(k.Images) != 1 || image != k.Images[0].Name {
			t.Errorf("%s has the image %s, which kustomization.yaml does not name", d.Name, image)
		}
		if d.Namespace != k.Namespace {
			t.Errorf("%s is in the namespace %q", d.Name, d.Namespace)
		}
	}
}
