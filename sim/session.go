package sim

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// session is one channel of a connection: a shell or an exec request.
type session struct {
	*conn
	ch     ssh.Channel
	height atomic.Uint32 // of the terminal; 0: unknown
	out    []byte        // of a shell, not yet written
}

// requests serves the requests of the channel until it is closed. An exec request is answered at once, a shell runs
// beside it.
func (s *session) requests(ctx context.Context, reqs <-chan *ssh.Request) {
	defer s.ch.Close()
	started := false
	for r := range reqs {
		switch r.Type {
		case "pty-req":
			var pty struct {
				Term                         string
				Columns, Rows, Width, Height uint32
				Modes                        string
			}
			err := ssh.Unmarshal(r.Payload, &pty)
			s.height.Store(pty.Rows)
			answer(r, err == nil)
		case "window-change":
			var size struct{ Columns, Rows, Width, Height uint32 }
			if ssh.Unmarshal(r.Payload, &size) == nil {
				s.height.Store(size.Rows)
			}
		case "shell":
			ok := !started && s.device.script.recording.Prompt != ""
			answer(r, ok)
			if ok {
				started = true
				s.group.Go(s.device.name, func(ctx context.Context) error { newShell(s).run(ctx); return nil })
			}
		case "exec":
			var exec struct{ Command string }
			ok := !started && ssh.Unmarshal(r.Payload, &exec) == nil
			answer(r, ok)
			if ok {
				started = true
				s.exec(ctx, exec.Command)
			}
		default:
			answer(r, false)
		}
	}
}

// exit ends the channel with a status, as a command that ends does.
func (s *session) exit(status int) {
	s.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
	s.ch.Close()
}

func (s *session) write(b []byte) error {
	s.fleet.counts.bytes.Add(int64(len(b)))
	_, err := s.ch.Write(b)
	return err
}

// extend puts off the time at which the connection has been idle for too long.
func (c *conn) extend() { c.tcp.SetDeadline(time.Now().Add(idleLimit)) }

// turns remembers how often a command was sent that was recorded several times.
type turns struct {
	mu   sync.Mutex
	used map[string]int
}

// next returns which of n recorded answers it is the turn of; the last one stays.
func (t *turns) next(command string, n int) int {
	if n == 1 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.used == nil {
		t.used = make(map[string]int)
	}
	turn := t.used[command]
	t.used[command] = min(turn+1, n-1)
	return turn
}

// find returns the step that answers a command in a mode, those that were recorded in this mode first. Configuration
// that was recorded in another mode is not shown: the client has not got there yet.
func (c *conn) find(command, mode string) (i int, ok bool) {
	s := c.device.script
	all := s.commands[command]
	var here []int
	for _, i := range all {
		if s.steps[i].mode == mode {
			here = append(here, i)
		}
	}
	key := command
	if len(here) > 0 {
		all, key = here, command+"\n"+mode
	}
	if len(all) == 0 {
		return -1, false
	}
	i = all[c.turns.next(key, len(all))]
	return i, len(here) > 0 || !s.steps[i].config
}
