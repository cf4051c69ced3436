// Command release makes what is published of a commit: for each system an archive of a static binary, the licences of all
// that is linked into it and the completions of the shells, and the checksums of the archives. The same commit, made by
// the same Go, gives the same bytes. `make release` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

// patience bounds a release: the first build of five systems takes minutes.
const patience = time.Hour

func main() { os.Exit(mainCode()) }

func mainCode() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r := release{dir: ".", targets: targets, log: os.Stderr}
	flag.StringVar(&r.version, "version", "", "`VERSION` that the binaries say they are")
	flag.StringVar(&r.out, "out", "dist", "`DIR` for the archives, which must not exist")
	flag.StringVar(&r.goCommand, "go", "go", "the go `COMMAND` to build with")
	flag.StringVar(&r.epoch, "epoch", os.Getenv("SOURCE_DATE_EPOCH"), "`SECONDS` since 1970 as the time of all files (default: the time of the commit)")
	flag.BoolVar(&r.allowDirty, "allow-dirty", os.Getenv("ALLOW_DIRTY") == "1", "release what is not committed too")
	flag.Parse()
	if err := r.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		return 1
	}
	return 0
}
