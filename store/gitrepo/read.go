package gitrepo

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"os/exec"
	"strconv"
	"strings"

	"github.com/musternet/muster/store"
)

// readAhead is how many texts are asked for before the first is read. The requests fit into a pipe's buffer.
const readAhead = 16

// maxText bounds what is taken into memory for one text.
const maxText = 1 << 30

// catFile is one running git cat-file --batch.
type catFile struct {
	cmd   *exec.Cmd
	said  *complaint
	stdin io.WriteCloser
	out   *bufio.Reader
}

func startCat(dir, mode string) (*catFile, error) {
	cmd, said, err := command(context.Background(), dir, "cat-file", mode)
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start git cat-file: %w", err)
	}
	return &catFile{cmd: cmd, said: said, stdin: stdin, out: bufio.NewReaderSize(stdout, 1<<16)}, nil
}

func (c *catFile) ask(blob string) error {
	if !isID(blob) {
		return fmt.Errorf("blob %q: %w", blob, store.ErrNotFound)
	}
	_, err := io.WriteString(c.stdin, blob+"\n")
	return err
}

// head reads the line before a text: "<id> blob <size>".
func (c *catFile) head() (size int, err error) {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(line)
	if len(fields) == 3 && fields[1] == "blob" {
		return strconv.Atoi(fields[2])
	}
	if len(fields) == 2 && fields[1] == "missing" {
		return 0, fmt.Errorf("blob %s: %w", fields[0], store.ErrNotFound)
	}
	return 0, fmt.Errorf("unexpected answer %q", line)
}

func (c *catFile) text() ([]byte, error) {
	size, err := c.head()
	if err != nil {
		return nil, err
	}
	if size > maxText {
		return nil, fmt.Errorf("a text of %d bytes is too large", size)
	}
	text := make([]byte, size+1)
	if _, err := io.ReadFull(c.out, text); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text, []byte("\n"))[:size:size], nil
}

// end ends the process; it has nothing to lose.
func (c *catFile) end() error {
	_ = c.stdin.Close()
	_ = c.cmd.Process.Kill()
	return c.cmd.Wait()
}

// Text returns what a blob holds, through a cat-file that is kept for the next call.
func (r *Repo) Text(ctx context.Context, blob string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cat == nil {
		cat, err := startCat(r.dir, "--batch")
		if err != nil {
			return nil, err
		}
		r.cat = cat
	}
	for text, err := range r.cat.texts(ctx, one(blob)) {
		if err != nil && !isNotFound(err) {
			r.dropCat()
		}
		return text, err
	}
	return nil, fmt.Errorf("blob %q: %w", blob, store.ErrNotFound)
}

func (r *Repo) dropCat() {
	if r.cat != nil {
		_ = r.cat.end() // it was killed: its status says nothing
		r.cat = nil
	}
}

// Texts returns the texts of many blobs in the order asked for, through a cat-file of its own. It ends at the first
// error.
func (r *Repo) Texts(ctx context.Context, blobs iter.Seq[string]) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		cat, err := startCat(r.dir, "--batch")
		if err != nil {
			yield(nil, err)
			return
		}
		defer cat.end()
		for text, err := range cat.texts(ctx, blobs) {
			if !yield(text, err) || err != nil {
				return
			}
		}
	}
}
