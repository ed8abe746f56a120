package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const s = time.Second

// tape is a recording with a long pause and a marker.
func tape(t *testing.T) string {
	return written(t,
		Event{Time: 1 * s, Kind: Output, Data: []byte("a")},
		Event{Time: 11 * s, Kind: Output, Data: []byte("b")},
		Event{Time: 11 * s, Kind: Resize, Rows: 30, Cols: 100},
		Event{Time: 12 * s, Kind: Marker, Data: []byte("m")},
		Event{Time: 13 * s, Kind: Output, Data: []byte("c")},
		Event{Time: 14 * s, Kind: Exit, Status: 1},
	)
}

// A watch notes what is shown when.
type watch struct {
	began time.Time
	seen  []string
}

func (w *watch) Write(p []byte) (int, error) {
	w.seen = append(w.seen, fmt.Sprintf("%s %s", time.Since(w.began), p))
	return len(p), nil
}

func TestPlayKeepsTheTime(t *testing.T) {
	tests := []struct {
		name string
		o    PlayOptions
		want string
	}{
		{"as it was", PlayOptions{}, "1s a, 11s b, 13s c, 14s"},
		{"twice as fast", PlayOptions{Speed: 2}, "500ms a, 5.5s b, 6.5s c, 7s"},
		{"no long pauses", PlayOptions{IdleLimit: 2 * s}, "1s a, 3s b, 5s c, 6s"},
		{"both", PlayOptions{Speed: 2, IdleLimit: 2 * s}, "500ms a, 1.5s b, 2.5s c, 3s"},
		{"from the middle", PlayOptions{From: 5 * s}, "0s a, 6s b, 8s c, 9s"},
		{"nobody to go on", PlayOptions{PauseOnMarkers: true}, "1s a, 11s b, 13s c, 14s"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(tape(t)))
			if err != nil {
				t.Fatal(err)
			}
			w := &watch{began: time.Now()}
			if err := Play(t.Context(), w, r, tt.o); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(append(w.seen, time.Since(w.began).String()), ", ")
			if got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		})
	}
}

func TestPlayObeysItsWatcher(t *testing.T) {
	type wish struct {
		at   time.Duration
		what Control
	}
	tests := []struct {
		name   string
		o      PlayOptions
		wishes []wish
		want   string
	}{
		{"a pause", PlayOptions{}, []wish{{500 * ms, Pause}, {60 * s, Pause}}, "1m0.5s a, 1m10.5s b, 1m12.5s c, 1m13.5s"},
		{"step by step", PlayOptions{}, []wish{{0, Pause}, {20 * s, Step}, {30 * s, Step}, {40 * s, Pause}}, "20s a, 30s b, 42s c, 43s"},
		{"to the marker", PlayOptions{}, []wish{{2 * s, NextMarker}, {20 * s, Pause}}, "1s a, 2s b, 21s c, 22s"},
		{"a pause at the marker", PlayOptions{PauseOnMarkers: true}, []wish{{60 * s, Pause}}, "1s a, 11s b, 1m1s c, 1m2s"},
		{"the watcher leaves", PlayOptions{PauseOnMarkers: true}, []wish{{0, Pause}, {60 * s, 0}}, "1m1s a, 1m11s b, 1m13s c, 1m14s"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(tape(t)))
			if err != nil {
				t.Fatal(err)
			}
			wishes := make(chan Control)
			tt.o.Control = wishes
			w := &watch{began: time.Now()}
			go func() {
				for _, wish := range tt.wishes {
					time.Sleep(wish.at - time.Since(w.began))
					if wish.what == 0 {
						close(wishes)
						return
					}
					wishes <- wish.what
				}
			}()
			if err := Play(t.Context(), w, r, tt.o); err != nil {
				t.Fatal(err)
			}
			got := strings.Join(append(w.seen, time.Since(w.began).String()), ", ")
			if got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
			}
		})
	}
}

// A marker at which no time passes stops it too.
func TestPlayStopsAtAMarkerAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := NewReader(strings.NewReader(written(t, Event{Kind: Marker}, Event{Kind: Output, Data: []byte("a")})))
		if err != nil {
			t.Fatal(err)
		}
		wishes := make(chan Control)
		w := &watch{began: time.Now()}
		go func() {
			time.Sleep(s)
			wishes <- Pause
		}()
		if err := Play(t.Context(), w, r, PlayOptions{PauseOnMarkers: true, Control: wishes}); err != nil || !slices.Equal(w.seen, []string{"1s a"}) {
			t.Errorf("played %q, %v", w.seen, err)
		}
	})
}

func TestPlayTellsEventsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := NewReader(strings.NewReader(tape(t)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 13500*ms, errors.New("enough"))
		defer cancel()
		var kinds []Kind
		err = Play(ctx, io.Discard, r, PlayOptions{Event: func(e Event) { kinds = append(kinds, e.Kind) }})
		if err == nil || err.Error() != "enough" {
			t.Errorf("ended with %v", err)
		}
		if want := []Kind{Output, Output, Resize, Marker, Output}; !slices.Equal(kinds, want) {
			t.Errorf("told of %v, want %v", kinds, want)
		}
	})
}

func TestPlayTellsWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := tape(t)
		file = strings.Replace(file, `[0, "r", "100x30"]`, `nonsense`, 1)
		r, err := NewReader(strings.NewReader(file[:len(file)-5]))
		if err != nil {
			t.Fatal(err)
		}
		w := &watch{began: time.Now()}
		err = Play(t.Context(), w, r, PlayOptions{})
		if len(w.seen) != 3 || err == nil || !strings.Contains(err.Error(), "line 4: no JSON") || !strings.Contains(err.Error(), "(and 1 more)") {
			t.Errorf("played %v, %v", w.seen, err)
		}
	})
}

// A page is a Screen that notes what is put on it.
type page struct{ strings.Builder }

func (p *page) Resize(rows, cols int) { fmt.Fprintf(p, "<%dx%d>", rows, cols) }

func TestRenderGoesToATime(t *testing.T) {
	for until, want := range map[time.Duration]string{-1: "ab<30x100>c", 0: "", s: "a", 12 * s: "ab<30x100>"} {
		r, err := NewReader(strings.NewReader(tape(t)))
		if err != nil {
			t.Fatal(err)
		}
		var p page
		if err := Render(&p, r, until); err != nil || p.String() != want {
			t.Errorf("at %s: %q, %v; want %q", until, p.String(), err, want)
		}
	}
}
