// Command mesh is istiod's discovery server over an in-memory Kubernetes, whose resources are changed by HTTP.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xds"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/monitoring"
	"istio.io/istio/pkg/test"
)

func main() {
	discovery := flag.String("discovery", "", "the address for agents, without TLS")
	control := flag.String("control", "", "the address that resources are changed at")
	meshFile := flag.String("mesh", "", "the file of the mesh configuration")
	objectsFile := flag.String("objects", "", "a file of resources that are there from the start, also as objects of Kubernetes")
	flag.Parse()
	settings, err := mesh.ReadMeshConfig(*meshFile)
	if err != nil {
		log.Fatal(err)
	}
	var objects []byte
	if *objectsFile != "" {
		if objects, err = os.ReadFile(*objectsFile); err != nil {
			log.Fatal(err)
		}
	}
	// The server is made for tests of Istio's own and ends with the function that it is started in.
	if err := test.Wrap(func(t test.Failer) { serve(t, settings, string(objects), *discovery, *control) }); err != nil {
		log.Fatal(err)
	}
}

func serve(t test.Failer, settings *meshconfig.MeshConfig, objects, discovery, control string) {
	metrics, err := monitoring.RegisterPrometheusExporter(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := xds.NewFakeDiscoveryServer(t, xds.FakeOptions{
		MeshConfig: settings,
		// What tells a waypoint its services reads objects of Kubernetes, and everything else resources of Istio.
		ConfigString:           objects,
		KubernetesObjectString: objects,
		ListenerBuilder:        func() (net.Listener, error) { return net.Listen("tcp", discovery) },
	})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /debug/", server.DiscoveryDebug)
	mux.HandleFunc("POST /xds", ask(discovery))
	mux.HandleFunc("PUT /resources", each(server.Store(), put))
	mux.HandleFunc("DELETE /resources", each(server.Store(), remove))
	t.Fatal(http.ListenAndServe(control, mux))
}

// each returns what does the same to all resources of a request's YAML, to none of them unless all are valid.
func each(store model.ConfigStore, change func(model.ConfigStore, config.Config) error) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		text, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		resources, err := parse(string(text))
		if err != nil {
			http.Error(answer, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		for _, resource := range resources {
			if err := change(store, resource); err != nil {
				http.Error(answer, fmt.Sprintf("%s: %v", resource.Key(), err), http.StatusConflict)
				return
			}
		}
	}
}

// parse validates as istiod's webhook does, which stands in front of a real API server.
func parse(text string) ([]config.Config, error) {
	resources, others, err := crd.ParseInputs(text)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		unknown := make([]string, 0, len(others))
		for _, other := range others {
			unknown = append(unknown, fmt.Sprintf("%s %s", other.APIVersion, other.Kind))
		}
		return nil, errors.New("no resources of Istio: " + strings.Join(unknown, ", "))
	}
	return resources, nil
}

func put(store model.ConfigStore, resource config.Config) error {
	// The store writes a new version, by which an agent tells that a resource has changed.
	resource.ResourceVersion = ""
	if old := store.Get(resource.GroupVersionKind, resource.Name, resource.Namespace); old != nil {
		resource.CreationTimestamp = old.CreationTimestamp
		_, err := store.Update(resource)
		return err
	}
	_, err := store.Create(resource)
	return err
}

func remove(store model.ConfigStore, resource config.Config) error {
	return store.Delete(resource.GroupVersionKind, resource.Name, resource.Namespace, nil)
}
