// Package task runs functions at the same time and joins every one of them before it returns.
package task
