//go:build !unix

package main

import "os"

var usr1 os.Signal
