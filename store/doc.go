// Package store says what is kept, as interfaces: History for the texts (git), Index for devices, runs and revisions
// (SQL), Scans for the last scans; and joins the first two in Store, so that a configuration is in both or in neither.
//
// # Order
//
// A text goes to History first, then its row to Index, then the file with the latest text is replaced, then the result
// is returned. So a row never points at a commit that is not there, and what was reported is stored. A process killed
// between two of these steps leaves commits without rows or files that are behind; Recover, which Begin calls, mends
// both.
//
// # Who may write
//
// One process at a time, the one that holds Lock on the data directory. Readers need no lock and always work. Scans are
// the exception: each is one transaction that concerns nothing else, and any process keeps its own at any time.
//
// # Waiting
//
// Keep and Fail block until what they were given is durable. Their callers are the ones who write: the first that
// comes waits up to a second for company and then writes for all who came meanwhile. There is no goroutine in the
// background, nothing to stop and nothing to leak.
package store
