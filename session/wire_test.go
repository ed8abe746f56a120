package session

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/spawnx/spawnx/diag"
	"github.com/spawnx/spawnx/proc"
)

func TestWhoSitsInTheSeat(t *testing.T) {
	for _, tt := range []struct {
		name     string
		before   seat
		asked    Role
		take     bool
		want     Role
		wantSeat seat
	}{
		{"an owner sits nowhere", 0, Owner, false, Owner, 0},
		{"an owner does not take it by the way", 3, Owner, true, Owner, 3},
		{"the first driver", 0, Driver, false, Driver, 7},
		{"the second one looks on", 3, Driver, false, Observer, 3},
		{"unless it takes the seat", 3, Driver, true, Driver, 7},
		{"an observer", 0, Observer, true, Observer, 0},
	} {
		role, after := tt.before.admit(7, tt.asked, tt.take)
		if role != tt.want || after != tt.wantSeat {
			t.Errorf("%s: %v, seat %d; want %v, seat %d", tt.name, role, after, tt.want, tt.wantSeat)
		}
		if got := after.role(7, tt.asked); got != role {
			t.Errorf("%s: it is %v afterwards", tt.name, got)
		}
		if after.leave(7) == 7 {
			t.Errorf("%s: still sits there after it left", tt.name)
		}
	}
	if role := seat(9).role(7, Driver); role != Observer {
		t.Errorf("who lost the seat is %v", role)
	}
	if role := seat(9).role(7, Owner); role != Owner {
		t.Errorf("an owner who lost the seat is %v", role)
	}
}

func TestWhoseWindowCounts(t *testing.T) {
	panes := []pane{
		{proc.Size{Rows: 50, Cols: 60}, Owner, 4},
		{proc.Size{Rows: 30, Cols: 100}, Driver, 2},
		{proc.Size{Rows: 10, Cols: 10}, Observer, 9},
		{proc.Size{}, Owner, 8},
	}
	for w, want := range map[Window]proc.Size{
		WindowDriver: {Rows: 30, Cols: 100}, WindowSmallest: {Rows: 30, Cols: 60}, WindowLargest: {Rows: 50, Cols: 100},
		WindowLatest: {Rows: 50, Cols: 60}, WindowFixed: {},
	} {
		got, ok := w.choose(panes)
		if got != want || ok != (w != WindowFixed) {
			t.Errorf("%v: %v, %v; want %v", w, got, ok, want)
		}
		if _, ok := w.choose(panes[2:]); ok {
			t.Errorf("%v: somebody counts who does not", w)
		}
		if back, err := ParseWindow(w.String()); back != w || err != nil {
			t.Errorf("%v is read as %v, %v", w, back, err)
		}
	}
	if _, ok := WindowDriver.choose(panes[:1]); ok {
		t.Error("driver: the size of somebody who is not")
	}
}

func TestHowLongAClientIsWaitedFor(t *testing.T) {
	t0 := time.Unix(1000, 0)
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }

	s := &slowness{}
	for ms := 20; ms < 200; ms += 20 {
		if v := s.stopped(at(ms), t0, 0, false); v != goOn {
			t.Fatalf("after %d ms: %v", ms, v)
		}
	}
	if v := s.stopped(at(200), t0, 0, false); v != skipNow {
		t.Errorf("after 200 ms in one go: %v", v)
	}
	if v := s.stopped(at(400), t0, 0, false); v != goOn {
		t.Errorf("it skips already: %v", v)
	}

	s = &slowness{}
	for i := range 7 { // 30 ms, at seven times: 200 ms in total
		v := s.stopped(at(1000*i+30), at(1000*i), int64(i), false)
		if want := map[bool]verdict{false: goOn, true: skipNow}[i == 6]; v != want {
			t.Errorf("stop %d of 30 ms: %v, want %v", i, v, want)
		}
	}

	s = &slowness{}
	for i := range 100 { // the slowest of many, that takes a megabyte in between
		if v := s.stopped(at(1000*i+30), at(1000*i), int64(i)<<20, false); v != goOn {
			t.Fatalf("stop %d: %v", i, v)
		}
	}

	s = &slowness{}
	for i := range 6 { // we get to look once in 10 s
		if v := s.stopped(at(10_000*i+10_000), t0, 0, false); v != goOn {
			t.Fatalf("look %d: %v", i, v)
		}
	}

	// until looks at it as often as the server does.
	until := func(s *slowness, patient bool) (v verdict) {
		for ms := 20; ms <= 400 && v == goOn; ms += 20 {
			v = s.stopped(at(ms), t0, 0, patient)
		}
		return v
	}
	if v := until(&slowness{}, true); v != goOn {
		t.Errorf("the driver: %v", v)
	}
	if v := until(&slowness{policy: SlowBlock}, false); v != goOn {
		t.Errorf("block: %v", v)
	}
	if v := until(&slowness{policy: SlowDisconnect}, false); v != sendAway {
		t.Errorf("disconnect: %v", v)
	}

	s = &slowness{}
	for i := range maxReturns {
		s.counted = time.Time{}
		if v := until(s, false); v != skipNow {
			t.Fatalf("time %d: %v", i, v)
		}
		if !s.caughtUp(0) {
			t.Fatalf("it caught up for the %dth time and is not waited for", i+1)
		}
	}
	s.counted = time.Time{}
	until(s, false)
	if s.caughtUp(0) {
		t.Error("it is waited for a sixth time")
	}
	if (&slowness{policy: SlowSkip, skipping: true}).caughtUp(0) {
		t.Error("skip: it is waited for")
	}
}

// What is to be done once is done once, over however many connections; what the
// end of a connection has prevented is done over the next.
func TestWhatWasDoneBefore(t *testing.T) {
	s := &Server{}
	a := &attachment{s: s, typed: &typed{}}
	first := func(id int64) bool { return a.before(id) == nil }
	if !first(3) {
		t.Error("3 was never done")
	}
	if again := a.before(3); again == nil || again.ID != 3 || !again.OK {
		t.Errorf("3, whose answer is not known: %+v", again)
	}
	answer := &control{ID: 3, Error: "no", Code: codeFailed}
	a.did(3, answer, false)
	if a.before(3) != answer {
		t.Error("3 has another answer the second time")
	}
	if !first(4) || !first(5) {
		t.Error("4 and 5 were never done")
	}
	a.did(4, &control{ID: 4, Error: "gone"}, true)
	a.did(5, &control{ID: 5, OK: true}, false)
	a = &attachment{s: s, typed: a.typed}
	if !first(4) || first(4) || first(5) || first(2) {
		t.Error("4 is done over the next connection, and nothing else")
	}
}

// Findings that are too many or too long are cut to a frame, the first ones come.
func TestFindingsFit(t *testing.T) {
	binary := strings.Repeat("\x00\xff\\", 1500)
	var all []diag.Finding
	for i := range 2000 {
		f := diag.Finding{Who: fmt.Sprintf("sleep 1000 (pid %d)", i), Kind: diag.KindSleeps, What: "sleeps for 16m40s", Evidence: "state S; clock_nanosleep()"}
		if i < 3 {
			f.Held, f.Why, f.Steps = binary, strconv.Quote(binary), []string{strconv.Quote(binary), strconv.Quote(binary)}
		}
		all = append(all, f)
	}
	for _, n := range []int{0, 1, 3, 100, 2000} {
		frame := jsonFrame(kindControl, &control{ID: 1, OK: true, Findings: fitting(slices.Clone(all[:n]))})
		var c control
		if err := object(frame[headLen:], &c); err != nil || !c.OK {
			t.Fatalf("%d findings: %v, %s", n, err, c.Error)
		}
		told := c.Findings
		if n > 100 {
			last := told[len(told)-1]
			told = told[:len(told)-1]
			if len(told) < 100 || last.What != fmt.Sprintf("leaves out %d more", n-len(told)) {
				t.Errorf("of %d come %d, and %v", n, len(told), last)
			}
		} else if len(told) != n {
			t.Errorf("of %d come %d", n, len(told))
		}
		for i, f := range told {
			if f.Who != all[i].Who {
				t.Errorf("%d: %v", i, f)
			}
		}
	}
}

// A write is over when all of it was accepted, although the server, which has
// forgotten us since, counts anew.
func TestAWriteAndAServerThatForgets(t *testing.T) {
	in := newRemoteInput(&Client{gen: 1}, 100, 1000) // what is sent goes nowhere
	written := make(chan int, 1)
	go func() {
		n, _ := in.Write([]byte("hello"))
		written <- n
	}()
	for sent := 0; sent < 5; {
		in.mu.Lock()
		sent = len(in.sent)
		if sent == 5 {
			in.advance(105)
			in.accepted = 0 // as resume does
			in.notify()
		}
		in.mu.Unlock()
		runtime.Gosched()
	}
	select {
	case n := <-written:
		if n != 5 {
			t.Errorf("%d bytes are accepted", n)
		}
	case <-time.After(30 * time.Second):
		t.Error("the write does not end")
	}
}

func TestAMemoryForgetsTheOldest(t *testing.T) {
	m := newMemory[int]()
	key := func(i int) string { return string(rune('a' + i)) }
	for i := range maxRemembered + 2 {
		m.put(key(i), i)
		if i == 1 {
			if v, ok := m.take(key(0)); v != 0 || !ok {
				t.Errorf("took %d, %v", v, ok)
			}
			if _, ok := m.take(key(0)); ok {
				t.Error("it is there still")
			}
		}
	}
	_, oldest := m.m[key(1)]
	_, next := m.m[key(2)]
	if oldest || !next || len(m.m) != maxRemembered || len(m.order) != maxRemembered {
		t.Errorf("the oldest is there: %v, the next: %v; %d of %d in order", oldest, next, len(m.m), len(m.order))
	}
}

// frames reads all frames of a stream.
func frames(r io.Reader, max int) (all []frame, err error) {
	in := &frameReader{r: r, max: max}
	for {
		f, err := in.next()
		if err != nil {
			return all, err
		}
		f.payload = slices.Clone(f.payload)
		all = append(all, f)
	}
}

func TestFramesComeBack(t *testing.T) {
	big := bytes.Repeat([]byte("x"), chunk)
	sent := slices.Concat(dataFrame(laneOutput, 1<<40, big), ackFrame(laneStderr, 7), gapFrame(laneOutput, 3, 9),
		paintFrames(5, slices.Concat(big, []byte("rest"))), jsonFrame(kindControl, &control{ID: 3, Do: "ping"}))
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(sent), "by bytes": iotest.OneByteReader(bytes.NewReader(sent))} {
		all, err := frames(r, maxPayload)
		if err != io.EOF || len(all) != 6 {
			t.Fatalf("%s: %d frames, %v", name, len(all), err)
		}
		if at, b, err := offset(all[0].payload); at != 1<<40 || !bytes.Equal(b, big) || err != nil {
			t.Errorf("%s: data at %d, %d bytes, %v", name, at, len(b), err)
		}
		if at, _, err := offset(all[1].payload); at != 7 || all[1].lane != laneStderr || err != nil {
			t.Errorf("%s: ack at %d, %v", name, at, err)
		}
		if from, to, err := gap(all[2].payload); from != 3 || to != 9 || err != nil {
			t.Errorf("%s: gap %d to %d, %v", name, from, to, err)
		}
		if at, more, b, err := paint(all[3].payload); at != 5 || !more || !bytes.Equal(b, big) || err != nil {
			t.Errorf("%s: paint at %d, more %v, %d bytes, %v", name, at, more, len(b), err)
		}
		if _, more, b, err := paint(all[4].payload); more || string(b) != "rest" || err != nil {
			t.Errorf("%s: the rest of a paint: more %v, %q, %v", name, more, b, err)
		}
		var c control
		if err := object(all[5].payload, &c); err != nil || c.ID != 3 || c.Do != "ping" {
			t.Errorf("%s: control %+v, %v", name, c, err)
		}
	}
	if _, err := frames(bytes.NewReader(sent[:len(sent)-1]), maxPayload); err != io.ErrUnexpectedEOF {
		t.Errorf("cut: %v", err)
	}
	if _, err := frames(bytes.NewReader(sent), maxHello); err != errTooLong {
		t.Errorf("too long: %v", err)
	}
}

// A frame's head asks for memory; it gets what the limit allows, once, and
// only when the frame is allowed.
func TestALengthAllocatesNothing(t *testing.T) {
	in := &frameReader{r: bytes.NewReader([]byte{1, 0, 0xff, 0xff}), max: maxHello, buf: make([]byte, maxHello)}
	if _, err := in.next(); err != errTooLong || len(in.buf) != maxHello {
		t.Errorf("%v, a buffer of %d", err, len(in.buf))
	}
}

// Whatever comes, the codec says what is wrong, or gives frames that come back
// the same.
func FuzzFrames(f *testing.F) {
	f.Add(dataFrame(laneOutput, 3, []byte("hello")))
	f.Add(slices.Concat(ackFrame(0, 1), gapFrame(1, 1, 5), paintFrames(1, []byte("x"))))
	f.Add(jsonFrame(kindHello, &hello{Version: 1, Role: "owner", Replay: "offset", Offset: 3}))
	f.Add(jsonFrame(kindControl, &control{ID: 1, Do: "resize", Rows: 3, Cols: 5}))
	f.Add([]byte{6, 0, 0, 2, '{', '}'})
	f.Add([]byte{2, 1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := frames(bytes.NewReader(b), maxPayload)
		if err == nil {
			t.Fatal("it never ends")
		}
		bit, errBit := frames(iotest.OneByteReader(bytes.NewReader(b)), maxPayload)
		if len(bit) != len(all) || errBit != err {
			t.Fatalf("byte by byte %d frames, %v; whole %d, %v", len(bit), errBit, len(all), err)
		}
		var back []byte
		for _, f := range all {
			back = append(appendHead(back, f.kind, f.lane, len(f.payload)), f.payload...)
			if at, rest, err := offset(f.payload); err == nil && (at < 0 || len(rest) != len(f.payload)-8) {
				t.Errorf("offset %d, rest %d", at, len(rest))
			}
			if from, to, err := gap(f.payload); err == nil && to < from {
				t.Errorf("gap %d to %d", from, to)
			}
			_, _, _, _ = paint(f.payload)
			var h hello
			if object(f.payload, &h) == nil {
				_ = h.check()
			}
			var c control
			_ = object(f.payload, &c)
		}
		if !bytes.HasPrefix(b, back) {
			t.Errorf("read %x as %x", b, back)
		}
	})
}
