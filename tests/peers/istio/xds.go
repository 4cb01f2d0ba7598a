package main

import (
	"context"
	"io"
	"net/http"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
)

// ask returns what sends a request's DiscoveryRequest, in JSON, to the discovery server as a proxy would, and answers with the
// DiscoveryResponse.
func ask(address string) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		text, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadRequest)
			return
		}
		var asked discovery.DiscoveryRequest
		if err := protojson.Unmarshal(text, &asked); err != nil {
			http.Error(answer, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		told, err := exchange(request.Context(), address, &asked)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusBadGateway)
			return
		}
		text, err = protojson.Marshal(told)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
			return
		}
		answer.Write(text)
	}
}

func exchange(ctx context.Context, address string, asked *discovery.DiscoveryRequest) (*discovery.DiscoveryResponse, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(connection).StreamAggregatedResources(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(asked); err != nil {
		return nil, err
	}
	return stream.Recv()
}
