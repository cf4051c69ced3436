// Package ise asks Cisco ISE: it lists, reads, makes, changes and deletes what ERS keeps, and reads policy sets and full endpoints
// from OpenAPI.
//
//	client, err := ise.New(ise.Config{URL: "https://ise.example.net", Username: "ers", Password: password})
//	for endpoint, err := range client.Endpoints(ctx, ise.Filter{}) {
//
// A Client is for one deployment and for many goroutines: they share its connections, its rate and its CSRF token.
//
// # Lists
//
// ISE gives 100 objects a page and keeps no snapshot. Pages are read at once, as many as there are connections, and yielded in
// their order; memory holds a few pages and 16 bytes of every id, which with the room of a set is 20 to 40 bytes an object. An
// object that shifted from page to page is yielded once. When the totals that the pages tell and the number of objects do not
// agree, the list has changed meanwhile and is read again, the third time page by page, and what was missed is yielded then; a
// list that even then shows objects to be missing ends with a *DriftError. One that only grows is complete for all that was there.
// What no client can see is a change that was undone between two pages: one object deleted and another one made in its stead.
//
// # Limits
//
// No more than Config.Connections requests are under way, and no second of ISE's clock sees more than Config.Rate of them: each
// counts from when it leaves until a second after its answer. Answers of 429 and 503, resets and silence double the distance
// between requests, up to sixteenfold, and each success takes a fiftieth of it back.
//
// # What is repeated
//
// GET, PUT and DELETE are, after 429, 500, 502, 503, 504, a reset, a time-out or an answer that was cut off. A POST is not: after an
// answer that was lost the object is looked up first (see Resource.Create). A wrong password is sent once: until ISE has
// accepted it requests go one at a time, and after a 401 it is not sent again for a minute, not by those that wait for their turn
// either, because ISE locks accounts.
//
// # Several PANs
//
// Config.Standby names other PANs. A node to which no connection comes about, TLS included, and for changes one that says that it
// is read-only, passes the request on to the next; nothing has been done by either. A request whose answer was lost stays with
// its node. The node that answered is asked first from then on.
//
// # Secrets
//
// Credentials go to the hosts of Config alone: links and Locations are read for a number or an id, redirects are not followed.
// Errors are one bounded line of printable text, without bodies and headers, and with the password taken out should ISE
// quote it. The log gets the same errors. Secrets that ISE keeps for devices and users have the type Secret, which does not print;
// an Object masks what its keys call a secret.
package ise
