// Package muster holds the nouns that every step of the line shares: Device, Job, Result, Failure, Config, Revision.
// It imports nothing but the standard library and does nothing by itself.
package muster
