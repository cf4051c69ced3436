// Package session holds one CLI conversation with one device over SSH or telnet: dial, jump hosts, host keys, login,
// prompts, pagers, limits. It knows nothing of the product around it.
//
// A session is dialled, asked and closed:
//
//	err := session.With(ctx, "sw1", session.Config{Shell: &session.Shell{}}, func(ctx context.Context, s *session.Session) error {
//		out, err := s.Run(ctx, "show version")
//		fmt.Print(out.Text)
//		return err
//	})
//
// # What it promises
//
// Every wait ends: each step has a limit and the whole has one (Limits), the end of a context ends the step at once,
// and all of them close the connection, which is the only brake an SSH handshake has. Every buffer is bounded; a device
// that sends more fails with code "flood".
//
// An Output is complete or there is none. On a shell that means that the prompt was seen again, behind the echo of the
// command and followed by a short quiet; a line in the middle that looks like the prompt does not end a command. With
// exec requests it means an exit status, or the clean end of the channel on a connection that still stands. A
// connection that breaks in the middle is an error with code "connection-lost".
//
// Every error of Dial and of a Session is an *Error: the stage, a stable code, the cause in words that are fit to be
// printed, and the end of the conversation. No secret that the session used is in it.
//
// # Host keys
//
// There is no way to switch the check off. OpenKnownHosts reads and appends OpenSSH's files; TrustKey replaces a key;
// FetchHostKey asks for one without a login.
//
// # Order of a login
//
// For each credential in turn: resolve, connect (through the jump hosts), banner, key exchange, host key, Guard, then
// all methods of the credential: keys, password, keyboard-interactive. A credential that is refused costs one
// connection. Telnet has the same order without what it does not have.
package session
