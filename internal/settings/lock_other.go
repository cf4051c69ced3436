//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package settings

// lock does nothing: there is no lock on a directory here. Of two edits at the same instant one may get lost.
func lock(string) (unlock func(), err error) { return func() {}, nil }
