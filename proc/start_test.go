package proc

import (
	"errors"
	"testing"
)

func TestAProgramIsStartedOnEachKindOfStreams(t *testing.T) {
	for _, kind := range []Stdio{PTY, Pipes, PTYStderr, PTYStdout} {
		t.Run(kind.String(), func(t *testing.T) {
			p, err := Start(t.Context(), Spec{Args: []string{"sh", "-c", "exit 7"}, Stdio: kind})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Stdio().Close()
			var exit *ExitError
			if e, err := p.Wait(t.Context()); e.Code != 7 || !errors.As(err, &exit) {
				t.Errorf("Wait: %+v, %v; want exit status 7", e, err)
			}
		})
	}
}
