// Package e2e runs the built muster against real servers: OpenSSH with FRR, dropbear with BIRD, servers cut down to old
// algorithms, bastions with routers behind them, and servers that misbehave, each in network, mount and process
// namespaces of its own. The lab and the tests carry the build tag e2e:
//
//	go test -tags e2e -count=1 -timeout 20m ./e2e
//
// They need Linux, root and the Debian packages named in packages.txt, and skip with a word where the first two are
// missing. Everything the lab makes hangs on the test process: when that ends, in whatever way, the kernel ends the
// nodes and with them every interface.
package e2e
