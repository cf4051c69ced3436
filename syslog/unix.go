package syslog

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// unixReceiver is a datagram socket in the file system.
type unixReceiver struct {
	*datagrams
	path string
}

// openUnix opens a socket as /dev/log is one: every program of this machine may write to it that may enter its directory. One
// that a program left behind is replaced; one that somebody listens on is refused.
func (l *Listener) openUnix(ctx context.Context, path string) ([]receiver, error) {
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(err, conn.Close(), os.Remove(path))
	}
	d, err := newDatagrams(conn, Addr{Unix, conn.LocalAddr()}, l.cfg.MaxMessage)
	if err != nil {
		return nil, errors.Join(err, conn.Close(), os.Remove(path))
	}
	return []receiver{&unixReceiver{d, path}}, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return nil // it is not there, or listening will say what is wrong
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("%s is there already and is no socket", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unixgram", path)
	if err == nil {
		return errors.Join(syscall.EADDRINUSE, conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

func (u *unixReceiver) close() error {
	err := u.datagrams.close()
	if e := os.Remove(u.path); !errors.Is(e, os.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}
