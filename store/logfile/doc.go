// Package logfile keeps syslog messages as segments of JSON lines: appended by group commit, compressed when they are full,
// forgotten by age and size, and searched without a database; zstdcat, jq and grep read them too.
//
// # Files
//
// A directory holds segments in the order of their numbers, each line a muster.LogLine:
//
//	0000000041-20260101T000000Z.jsonl.zst         a closed segment; the time is that of its first line
//	0000000041-20260101T000000Z.index.json        what is in it: Search passes by those that cannot hold what it looks for
//	0000000042-20260102T000000Z.jsonl             the one that is written
//
// An index that is missing or damaged is made anew. Numbers count on whatever the clock does. The frames of a compressed segment
// are half a megabyte of whole lines each, so that the end of a segment is read without its beginning.
//
// # Durability
//
// Append returns at once. What was appended is written and synced together after at most Options.Sync; Flush waits for that, and
// Counts tells how much is durable: a crash of the process or the machine loses none of it. A crash while a segment is
// compressed leaves it readable once. A line that a crash tore is cut off by Open.
//
// # A disk that is slow, full or broken
//
// Lines wait in memory, up to Options.Buffer; after that Append blocks its caller while the disk is only slow, so that a socket's
// own buffer fills and the kernel counts what it drops. When nothing was written for five seconds, or writing failed, Append
// loses lines at once instead: they are counted, and once a minute the log says how many. The disk is tried again every second,
// with what waits in memory first. Nothing half written stays in a file.
//
// # Readers
//
// Search and Follow need no lock and no open Archive: any process may read beside the one that writes.
package logfile
