package probe

import "syscall"

// errnos says what Winsock's numbers mean that a connect or a send ends with. Package syscall has no names for most.
var errnos = map[syscall.Errno]string{
	10013: "send-failed",     // WSAEACCES
	10024: "send-failed",     // WSAEMFILE
	10047: "send-failed",     // WSAEAFNOSUPPORT
	10048: "send-failed",     // WSAEADDRINUSE
	10049: "send-failed",     // WSAEADDRNOTAVAIL
	10050: "unreachable",     // WSAENETDOWN
	10051: "unreachable",     // WSAENETUNREACH
	10053: "connection-lost", // WSAECONNABORTED
	10054: "connection-lost", // WSAECONNRESET
	10055: "send-failed",     // WSAENOBUFS
	10060: "timeout",         // WSAETIMEDOUT
	10061: "refused",         // WSAECONNREFUSED
	10064: "unreachable",     // WSAEHOSTDOWN
	10065: "unreachable",     // WSAEHOSTUNREACH
}

const errRefused = syscall.Errno(10061)
