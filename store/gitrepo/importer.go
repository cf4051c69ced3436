package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/musternet/muster/store"
)

// importer is one running git fast-import. It is started with --done: a stream cut off by our death changes nothing
// after the last checkpoint.
type importer struct {
	cmd    *exec.Cmd
	said   *complaint
	stdin  io.WriteCloser
	in     *bufio.Writer
	out    *bufio.Reader
	parent string // "from" of the first commit; empty: the branch is new, or set by a commit before
	mark   int
}

// startImporter starts git on a context of its own: it lives from call to call, and each call that is cut short kills it.
func startImporter(dir, head string, lock *os.File) (*importer, error) {
	cmd, said, err := command(context.Background(), dir, "fast-import", "--quiet", "--done", "--date-format=raw")
	if err != nil {
		return nil, err
	}
	inherit(cmd, lock)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start git fast-import: %w", err)
	}
	return &importer{
		cmd: cmd, said: said, stdin: stdin, in: bufio.NewWriterSize(stdin, 1<<18), out: bufio.NewReader(stdout), parent: head,
	}, nil
}

func (m *importer) append(ctx context.Context, commits []store.Commit) ([]string, error) {
	stop := context.AfterFunc(ctx, func() { _ = m.cmd.Process.Kill() }) // ends every read and write below
	defer stop()
	ids := make([]string, 0, len(commits))
	for len(commits) > 0 {
		n := min(chunk, len(commits))
		got, err := m.send(commits[:n])
		if err != nil {
			return nil, m.broken(ctx, err)
		}
		ids, commits = append(ids, got...), commits[n:]
	}
	if err := m.checkpoint(); err != nil {
		return nil, m.broken(ctx, err)
	}
	return ids, nil
}

func (m *importer) send(commits []store.Commit) ([]string, error) {
	first := m.mark + 1
	for _, c := range commits {
		m.mark++
		writeCommit(m.in, c, m.mark, m.parent)
		m.parent = ""
	}
	for mark := first; mark <= m.mark; mark++ {
		fmt.Fprintf(m.in, "get-mark :%d\n", mark)
	}
	if err := m.in.Flush(); err != nil {
		return nil, err
	}
	ids := make([]string, len(commits))
	for i := range ids {
		id, err := m.answer()
		if err != nil {
			return nil, err
		}
		if !isID(id) {
			return nil, fmt.Errorf("unexpected answer %q", id)
		}
		ids[i] = id
	}
	return ids, nil
}

// checkpoint returns when the objects are synced and the branch is moved: fast-import answers the progress command after
// it has done the checkpoint before it.
func (m *importer) checkpoint() error {
	const done = "progress checkpoint"
	io.WriteString(m.in, "checkpoint\n\n"+done+"\n\n")
	if err := m.in.Flush(); err != nil {
		return err
	}
	answer, err := m.answer()
	if err == nil && answer != done {
		err = fmt.Errorf("unexpected answer %q", answer)
	}
	return err
}

func (m *importer) answer() (string, error) {
	line, err := m.out.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// broken ends the process and says why it failed, in git's own words where it said any.
func (m *importer) broken(ctx context.Context, err error) error {
	wait := m.kill()
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) || isPipe(err) {
		err = wait
	}
	if err == nil {
		err = errors.New("ended too early")
	}
	return m.said.explain(ctx, "fast-import", err)
}

// kill ends the process at once. A second call does nothing.
func (m *importer) kill() error {
	if m.cmd.ProcessState != nil {
		return nil
	}
	_ = m.stdin.Close() // lets a process that is dying of itself say why
	_ = m.cmd.Process.Kill()
	return m.cmd.Wait()
}

// end ends the stream in order and waits for the process.
func (m *importer) end(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = m.cmd.Process.Kill() })
	defer stop()
	io.WriteString(m.in, "done\n")
	err := errors.Join(m.in.Flush(), m.stdin.Close())
	if wait := m.cmd.Wait(); wait != nil {
		err = wait
	}
	return m.said.explain(ctx, "fast-import", err)
}

// writeCommit writes one commit to the stream. Errors stay in w until Flush.
func writeCommit(w *bufio.Writer, c store.Commit, mark int, parent string) {
	when := strconv.FormatInt(c.Time.Unix(), 10) + " +0000\n"
	io.WriteString(w, "commit "+branch+"\nmark :"+strconv.Itoa(mark)+"\n")
	io.WriteString(w, "author "+person(c.Author)+" "+when+"committer "+person("")+" "+when)
	writeData(w, message(c))
	if parent != "" {
		io.WriteString(w, "from "+parent+"\n")
	}
	if c.OldPath != "" && c.OldPath != c.Path {
		io.WriteString(w, "D "+quote(c.OldPath)+"\n")
	}
	io.WriteString(w, "M 100644 inline "+quote(c.Path)+"\n")
	writeData(w, c.Text)
	w.WriteByte('\n')
}

func writeData(w *bufio.Writer, data []byte) {
	io.WriteString(w, "data "+strconv.Itoa(len(data))+"\n")
	w.Write(data)
	w.WriteByte('\n')
}
