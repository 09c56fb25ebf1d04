package box

import (
	"slices"
	"strings"

	"keepwatch/pst/pim"
)

// where is the place of an event, or all of them.
func (e event) where() string {
	var all []string
	for _, p := range append([]place{e.Location}, e.Locations...) {
		if p.Name != "" && !slices.Contains(all, p.Name) && !strings.Contains(e.Location.Name, "; ") {
			all = append(all, p.Name)
		}
	}
	if strings.Contains(e.Location.Name, "; ") { // Outlook's own way of naming several
		return e.Location.Name
	}
	return strings.Join(all, "; ")
}

// hasFiles reports whether an event has attachments: Graph does not count those that the
// body shows.
func (e event) hasFiles() bool {
	return e.Attached || e.Body != nil && (e.Body.open != nil || strings.Contains(e.Body.Content, "cid:"))
}

// The enumerations of Graph in the words of iCalendar and Outlook.

func busy(s string) pim.Busy {
	switch s {
	case "free":
		return pim.Free
	case "tentative":
		return pim.Tentative
	case "oof":
		return pim.OutOfOffice
	case "workingElsewhere":
		return pim.Elsewhere
	}
	return pim.Occupied
}

func importance(s string) pim.Importance {
	switch s {
	case "low":
		return pim.Unimportant
	case "high":
		return pim.Important
	}
	return pim.Ordinary
}

func sensitivity(s string) pim.Sensitivity {
	switch s {
	case "personal":
		return pim.Personal
	case "private":
		return pim.Private
	case "confidential":
		return pim.Confidential
	}
	return pim.Public
}

func response(s string) pim.Response {
	switch s {
	case "organizer":
		return pim.Organized
	case "tentativelyAccepted":
		return pim.TentativelyAccepted
	case "accepted":
		return pim.Accepted
	case "declined":
		return pim.Declined
	case "notResponded":
		return pim.NotResponded
	}
	return pim.NoResponse
}

func role(s string) pim.Role {
	switch s {
	case "optional":
		return pim.Optional
	case "resource":
		return pim.Resource
	}
	return pim.Required
}
