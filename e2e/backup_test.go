//go:build e2e && linux

package e2e

import (
	"testing"
	"time"
)

// healthy are the servers that anybody would expect to be backed up, each as its owner would list it.
func healthy() []row {
	old := []row{of("old1"), of("old2"), of("oldcipher"), of("oldkey")}
	for i := range old {
		old[i].legacy = true
	}
	small := of("b1")
	small.name, small.port = "b1-small", 2022
	bastion2, r3, r4 := of("bastion2"), of("r3"), of("r4")
	bastion2.jump, r3.jump, r4.jump = "bastion", "bastion", "bastion,bastion2"
	return append(old, of("r1"), of("r2"), of("b1"), small, of("srv1"), of("kbd"), of("keys"), of("tiny"), of("rekey"), of("bastion"), bastion2, r3, r4)
}

// nodeOf is the node behind a row.
func nodeOf(r row) *node {
	for _, n := range the.nodes {
		if n.address() == r.address {
			return n
		}
	}
	return nil
}

func TestEveryServerIsBackedUpAsItsOwnToolPrintsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t).identity(t)
	list := s.inventory(t, healthy()...)
	s.expect(t, healthy(), 0, "backup", "-i", list, "-o", "ndjson")
	for _, r := range healthy() {
		got, want := s.muster(t, "show", r.name, "-i", list).stdout, stored(nodeOf(r).truth(t))
		if got != want {
			t.Errorf("%s: stored %d bytes, %s's own tool prints %d\nstored: %.200q\nown:    %.200q", r.name, len(got), r.platform, len(want), got, want)
		}
	}
	again := healthy()
	for i := range again {
		again[i].want = "unchanged"
	}
	s.expect(t, again, 0, "backup", "-i", list, "-o", "ndjson")
}

func TestPlatformsAreDetectedWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	s := newSite(t).identity(t)
	rows := healthy()
	for i := range rows {
		rows[i].platform = ""
	}
	got := s.expect(t, rows, 0, "backup", "-i", s.inventory(t, rows...), "-o", "ndjson")
	for _, r := range rows {
		o := got[r.name]
		if want := nodeOf(r).platform; o.Platform != want {
			t.Errorf("%s was taken for %q, it is %s", r.name, o.Platform, want)
		}
		if o.Duration > 8000 {
			t.Errorf("%s took %d ms", r.name, o.Duration)
		}
	}
}

func TestEveryFaultHasItsOwnStageAndCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	at := func(name string, port int, want string) row {
		return row{name: name, address: machine, port: port, platform: "frr", user: "admin", password: the.sec.password, want: want}
	}
	variant := func(node, name, want string, change func(*row)) row {
		r := of(node)
		r.name, r.want = name, want
		change(&r)
		return r
	}
	none := func(*row) {}
	rows := []row{
		at("mute", listen(t, mute), "handshake timeout"),
		at("web", listen(t, web), "handshake not-ssh"),
		at("reset", listen(t, reset), "handshake connection-lost"),
		at("refused", closedPort(t), "connect refused"),
		variant("r1", "nobody", "connect unreachable", func(r *row) { r.address = nowhere }),
		variant("r3", "r3-without-jump", "connect unreachable", none),
		variant("r1", "no-such-name", "resolve unknown-host", func(r *row) { r.address = "r1.onion" }), // never asked of a name server
		variant("r2", "wrong-password", "auth auth-rejected", func(r *row) { r.password = the.sec.wrong }),
		variant("keys", "keys-by-password", "auth no-auth-method", func(r *row) { r.password = the.sec.password }),
		variant("old1", "old1", "handshake no-common-kex", none),
		variant("old2", "old2", "handshake no-common-kex", none),
		variant("oldcipher", "oldcipher", "handshake no-common-cipher", none),
		variant("oldkey", "oldkey", "handshake no-common-hostkey", none),
		variant("srv1", "not-a-router", "command command-rejected", func(r *row) { r.platform = "frr" }),
		variant("r3", "r3-by-wrong-hop", "auth auth-rejected", func(r *row) { r.jump = "r2-with-wrong-password" }),
		variant("r2", "r2-with-wrong-password", "auth auth-rejected", func(r *row) { r.password = the.sec.wrong }),
		of("r1"), of("kbd"), // and the healthy ones do not mind
	}
	began := time.Now()
	got := s.expect(t, rows, 1, "backup", "-i", s.inventory(t, rows...), "-o", "ndjson")
	if took := time.Since(began); took > 90*time.Second {
		t.Errorf("took %v", took)
	}
	for _, r := range rows {
		o := got[r.name]
		if o.Status == "failed" && (o.Error == "" || o.Hint == "" || o.Attempts < 1) {
			t.Errorf("%s: a failure without error, hint or attempts: %+v", r.name, o)
		}
	}
}

// expect runs a backup, and fails the test for each device that did not come out as its row wants.
func (s *site) expect(t *testing.T, rows []row, code int, args ...string) map[string]outcome {
	t.Helper()
	a := s.muster(t, args...)
	got := outcomes(t, a.stdout)
	for i, r := range rows {
		o, there := got[r.name]
		switch {
		case !there:
			t.Errorf("%s: no outcome", r.name)
		case o.word() != r.want:
			t.Errorf("%s: %s, want %s: %s", r.name, o.word(), r.want, o.Error)
		case o.Index == nil || *o.Index != i:
			t.Errorf("%s: index %v, want %d", r.name, o.Index, i)
		}
	}
	if len(got) != len(rows) {
		t.Errorf("%d outcomes of %d devices", len(got), len(rows))
	}
	if a.code != code {
		t.Errorf("exit %d, want %d\n%s", a.code, code, a.stderr)
	}
	return got
}
