//go:build !unix

package main

import "os"

// reloadSignals knows no signal that asks to read the settings anew.
func reloadSignals() (reload <-chan os.Signal, stop func()) { return nil, func() {} }
