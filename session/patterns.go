package session

import "regexp"

// What servers and devices say around a login, in words that have been seen.
var (
	asksUser        = regexp.MustCompile(`(?i)(user ?name|login|user)[^:]{0,40}: ?$`)
	asksNewPassword = regexp.MustCompile(`(?i)((new|current|old|retype|confirm)[^:]{0,40}pass(word|code|phrase)?|pass(word|code|phrase)[^:]{0,40}(expired|change)|(unix|kerberos) password)[^:]{0,40}: ?$`)
	saysExpired     = regexp.MustCompile(`(?i)(password (has |is |was )?expired|must change your password|required to change your password|change (the|your) password (now|immediately))`)
	refusedForLoad  = regexp.MustCompile(`(?i)(too many|maximum|max(imum)? number|limit|no more|busy|in use|exceed|resource|try (again )?later|overload)`)
)
