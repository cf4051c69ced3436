package main

import (
	"strconv"
	"strings"

	"github.com/musternet/muster/app"
)

// deref is what a text that may be null shows in a table.
func deref(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}

func iseEndpointView() view[app.ISEEndpoint] {
	return view[app.ISEEndpoint]{
		columns: []column[app.ISEEndpoint]{
			{head: "MAC", cell: func(r app.ISEEndpoint) string { return endpointName(r) }},
			{head: "GROUP", cell: func(r app.ISEEndpoint) string { return deref(r.Group) }},
			{head: "DESCRIPTION", cell: func(r app.ISEEndpoint) string { return orDash(r.Description) }},
			{head: "ID", cell: func(r app.ISEEndpoint) string { return r.ID }},
		},
		word: endpointName,
	}
}

// endpointName is the MAC address, or the name of what has none.
func endpointName(r app.ISEEndpoint) string {
	if r.MAC == nil {
		return r.Name
	}
	return *r.MAC
}

func iseGroupView() view[app.ISEGroup] {
	return view[app.ISEGroup]{
		columns: []column[app.ISEGroup]{
			{head: "GROUP", cell: func(r app.ISEGroup) string { return r.Name }},
			{head: "DESCRIPTION", cell: func(r app.ISEGroup) string { return orDash(r.Description) }},
			{head: "ID", cell: func(r app.ISEGroup) string { return r.ID }},
		},
		word: func(r app.ISEGroup) string { return r.Name },
	}
}

func isePolicyView() view[app.ISEPolicy] {
	return view[app.ISEPolicy]{
		columns: []column[app.ISEPolicy]{
			{head: "RANK", cell: func(r app.ISEPolicy) string { return strconv.Itoa(r.Rank) }, right: true},
			{head: "POLICY SET", cell: func(r app.ISEPolicy) string { return r.Name }},
			{head: "STATE", cell: func(r app.ISEPolicy) string { return orDash(r.State) }},
			{head: "HITS", cell: func(r app.ISEPolicy) string { return strconv.Itoa(r.Hits) }, right: true},
			{head: "PROTOCOLS", cell: func(r app.ISEPolicy) string { return orDash(r.Protocols) }},
			{head: "ID", cell: func(r app.ISEPolicy) string { return r.ID }},
		},
		word: func(r app.ISEPolicy) string { return r.Name },
	}
}

func iseDeviceView() view[app.ISEDevice] {
	return view[app.ISEDevice]{
		columns: []column[app.ISEDevice]{
			{head: "DEVICE", cell: func(r app.ISEDevice) string { return r.Name }},
			{head: "ADDRESSES", cell: func(r app.ISEDevice) string { return orDash(strings.Join(r.Addresses, " ")) }},
			{head: "GROUPS", cell: func(r app.ISEDevice) string { return orDash(strings.Join(r.Groups, ", ")) }},
			{head: "DESCRIPTION", cell: func(r app.ISEDevice) string { return orDash(r.Description) }},
			{head: "ID", cell: func(r app.ISEDevice) string { return r.ID }},
		},
		word: func(r app.ISEDevice) string { return r.Name },
	}
}

// isePartRow is one of the things that ise summary counts.
type isePartRow struct {
	What  string `json:"what"`
	Total *int   `json:"total"`
	Code  string `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

func isePartRows(s *app.ISESummary) []isePartRow {
	return []isePartRow{
		{"endpoints", s.Endpoints.Total, s.Endpoints.Code, s.Endpoints.Error},
		{"groups", s.Groups.Total, s.Groups.Code, s.Groups.Error},
		{"policies", s.Policies.Total, s.Policies.Code, s.Policies.Error},
	}
}

func isePartView() view[isePartRow] {
	failed := func(r isePartRow) bool { return r.Total == nil }
	return view[isePartRow]{
		columns: []column[isePartRow]{
			{head: "WHAT", cell: func(r isePartRow) string { return r.What }},
			{head: "COUNT", cell: func(r isePartRow) string {
				if failed(r) {
					return "-"
				}
				return strconv.Itoa(*r.Total)
			}, right: true},
		},
		tails: []tail[isePartRow]{{of: failed, columns: []column[isePartRow]{
			{cell: func(r isePartRow) string { return r.Code }, tone: func(isePartRow) tone { return bad }},
			{cell: func(r isePartRow) string { return r.Error }},
		}}},
		word: func(r isePartRow) string { return r.What },
	}
}
