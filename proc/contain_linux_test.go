package proc

import (
	"testing"
)

func TestSmoke(t *testing.T) {
	for _, no := range []bool{false, true} {
		withoutCgroup.Store(no)
		how, err := CheckContainment()
		t.Log(how, err)
		s := sh(Pipes, "echo hi; exit 3")
		s.Contain = true
		p := start(t, s)
		t.Log(lines(p)(t))
		e, err := p.Wait(t.Context())
		t.Log(e, err)
		s = sh(PTY, eightProcesses+"")
		s.Contain = true
		s.Grace = 200000000
		p = start(t, s)
		pids := numbers(t, p, 8)
		e, err = p.Stop(t.Context())
		t.Log(e, err)
		for _, pid := range pids {
			if alive(pid) {
				t.Errorf("left: %d", pid)
			}
		}
		endKeeper(t)
	}
}
func endKeeper(t *testing.T) {
	k := keepers.keeper
	if err := k.child.signal(9); err != nil {
		t.Error(err)
	}
	<-k.dead.Done()
}
