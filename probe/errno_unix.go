//go:build !windows

package probe

import "syscall"

// errnos says what the numbers mean that a connect or a send ends with.
//
// EACCES stands with the unreachable: that is what IPv6 makes of a router's "administratively prohibited", and any system
// of its own route that prohibits. EINVAL is a route that swallows (blackhole). EPERM is a filter of this machine.
var errnos = map[syscall.Errno]string{
	syscall.ECONNREFUSED:  "refused",
	syscall.ETIMEDOUT:     "timeout",
	syscall.EHOSTUNREACH:  "unreachable",
	syscall.ENETUNREACH:   "unreachable",
	syscall.EHOSTDOWN:     "unreachable",
	syscall.ENETDOWN:      "unreachable",
	syscall.ENOPROTOOPT:   "unreachable",
	syscall.EACCES:        "unreachable",
	syscall.EINVAL:        "unreachable",
	syscall.ECONNRESET:    "connection-lost",
	syscall.ECONNABORTED:  "connection-lost",
	syscall.EPIPE:         "connection-lost",
	syscall.EMFILE:        "send-failed",
	syscall.ENFILE:        "send-failed",
	syscall.ENOBUFS:       "send-failed",
	syscall.ENOMEM:        "send-failed",
	syscall.EADDRNOTAVAIL: "send-failed",
	syscall.EADDRINUSE:    "send-failed",
	syscall.EAFNOSUPPORT:  "send-failed",
	syscall.EAGAIN:        "send-failed",
	syscall.EPERM:         "send-failed",
}

const errRefused = syscall.ECONNREFUSED
