package main

import (
	"bufio"
	"context"
	"errors"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"
)

// The receiver otlp_json_file: it reads files of OTLP JSON lines once, from the start, with the Collector's own reader.
//
// Written here because the module of contrib's receiver of this name is not on the Go module proxy for this version. That
// receiver does the same, and then waits for the files to grow.

// The most bytes of a line.
const maxLine = 64 << 20

type jsonLinesConfig struct {
	// Paths of files, without patterns.
	Include []string `mapstructure:"include"`
}

func (config *jsonLinesConfig) Validate() error {
	if len(config.Include) == 0 {
		return errors.New("include: expected at least one path")
	}
	return nil
}

type jsonLines struct {
	include []string
	next    consumer.Traces
	log     *zap.Logger
	done    chan struct{}
}

func newJSONLinesFactory() receiver.Factory {
	return receiver.NewFactory(
		component.MustNewType("otlp_json_file"),
		func() component.Config { return &jsonLinesConfig{} },
		receiver.WithTraces(newJSONLines, component.StabilityLevelDevelopment),
	)
}

func newJSONLines(
	_ context.Context,
	settings receiver.Settings,
	config component.Config,
	next consumer.Traces,
) (receiver.Traces, error) {
	include := config.(*jsonLinesConfig).Include
	return &jsonLines{include, next, settings.Logger, make(chan struct{})}, nil
}

// Start reads in the background, because exporters may start after it.
func (lines *jsonLines) Start(context.Context, component.Host) error {
	go func() {
		defer close(lines.done)
		for _, path := range lines.include {
			if err := lines.read(path); err != nil {
				lines.log.Error("cannot read", zap.String("path", path), zap.Error(err))
			}
		}
	}()
	return nil
}

func (lines *jsonLines) Shutdown(context.Context) error {
	<-lines.done
	return nil
}

func (lines *jsonLines) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, maxLine)
	unmarshaler := ptrace.JSONUnmarshaler{}
	for number := 1; scanner.Scan(); number++ {
		traces, err := unmarshaler.UnmarshalTraces(scanner.Bytes())
		if err == nil {
			err = lines.next.ConsumeTraces(context.Background(), traces)
		}
		if err != nil {
			lines.log.Error("refused", zap.Int("line", number), zap.Error(err))
		}
	}
	return scanner.Err()
}
