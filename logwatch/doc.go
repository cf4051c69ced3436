// Package logwatch makes sense of syslog messages: it says which device each is from and what of it was lost, archives it, finds
// what people should know by rules, and tells when a configuration was changed and by whom.
package logwatch
