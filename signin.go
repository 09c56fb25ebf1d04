package keepwatch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// SignInKind is a way in which somebody proves who they are to a directory.
type SignInKind string

// The kinds of sign-in method.
const (
	SignInAuthenticator SignInKind = "Microsoft Authenticator"
	SignInPhonePasskey  SignInKind = "passkey in Authenticator" // bound to the phone; no backup brings it back
	SignInKey           SignInKind = "FIDO2 security key"
	SignInPhone         SignInKind = "phone number"
	SignInCodes         SignInKind = "one-time codes"
	SignInEmail         SignInKind = "e-mail address"
	SignInPass          SignInKind = "temporary access pass"
	SignInWindows       SignInKind = "Windows Hello"
	SignInPlatform      SignInKind = "platform credential"
	SignInOther         SignInKind = "another method"
)

// OnPhone reports whether a method is lost with a phone.
func (k SignInKind) OnPhone() bool {
	return k == SignInAuthenticator || k == SignInPhonePasskey || k == SignInPhone || k == SignInCodes
}

// SignInMethod is one that somebody has registered. It holds no number and no address.
type SignInMethod struct {
	ID      string     `json:"id"` // the directory's; another one after it was registered anew
	Kind    SignInKind `json:"kind"`
	Device  string     `json:"device,omitempty"` // "iPhone 15"
	Version string     `json:"version,omitempty"`
	Created time.Time  `json:"created,omitzero"` // zero: the directory does not say
}

// String names it within a sentence: "Microsoft Authenticator on iPhone 15".
func (m SignInMethod) String() string {
	kind := string(m.Kind)
	switch {
	case m.Device == "" && (m.Kind == SignInAuthenticator || m.Kind == SignInWindows || m.Kind == SignInCodes || m.Kind == SignInOther):
		return kind
	case m.Device == "" && m.Kind == SignInEmail:
		return "an " + kind
	case m.Device == "":
		return "a " + kind
	case m.Kind == SignInKey:
		return "the " + kind + " " + Printable(m.Device)
	case m.Kind == SignInPhonePasskey:
		return "the " + kind + ", " + Printable(m.Device)
	}
	return kind + " on " + Printable(m.Device)
}

// SignInsSeen are the methods that somebody was seen to have.
type SignInsSeen struct {
	At      time.Time      `json:"at"`
	Methods []SignInMethod `json:"methods"` // empty: none
	// Whole says that these are all. Otherwise only Microsoft Authenticator could be looked
	// for.
	Whole bool `json:"whole,omitempty"`
}

// SignIns is what was seen of how people sign in.
type SignIns struct {
	Version int `json:"v"` // 1
	// People are by sign-in name in small letters. Who is not in it was never seen.
	People map[string]SignInsSeen `json:"people"`
}

// SignInChange is what has changed about how somebody signs in.
type SignInChange struct {
	Person string           // sign-in name
	What   SignInChangeKind //
	Method SignInMethod     // as it is now; of one that was removed, as it was
	Before SignInMethod     // of one that is another now
}

// SignInChangeKind is what has happened to a method.
type SignInChangeKind string

// The changes. Another version of the app alone is what an update of the phone does.
const (
	SignInAdded   SignInChangeKind = "added"
	SignInRemoved SignInChangeKind = "removed"
	SignInRenewed SignInChangeKind = "registered anew" // removed and added on a device of the same name
	SignInMoved   SignInChangeKind = "device"          // its device has another name
	SignInUpdated SignInChangeKind = "version"
)

// String says it in a sentence.
func (c SignInChange) String() string {
	who := Printable(c.Person)
	switch c.What {
	case SignInAdded:
		return fmt.Sprintf("%s has a new way to sign in: %s.", who, c.Method)
	case SignInRemoved:
		return fmt.Sprintf("%s can no longer sign in with %s: it was removed.", who, c.Method)
	case SignInRenewed:
		return fmt.Sprintf("%s has registered %s anew.", who, c.Method)
	case SignInMoved:
		return fmt.Sprintf("What was %s is now %s, for %s.", c.Before, c.Method, who)
	}
	return fmt.Sprintf("%s of %s is now version %s; it was %s.", c.Method, who, orUnknown(c.Method.Version), orUnknown(c.Before.Version))
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return Printable(s)
}

// Changes compares what was seen with what is seen now, by people and then in the order
// of the kinds above. Somebody who is seen for the first time, or was not seen this time,
// has not changed, and neither has what could be seen one time only.
func (s SignIns) Changes(now SignIns) []SignInChange {
	var all []SignInChange
	for person, after := range now.People {
		before, known := s.People[person]
		if !known {
			continue
		}
		was, is := before.Methods, after.Methods
		if !before.Whole || !after.Whole {
			other := func(m SignInMethod) bool { return m.Kind != SignInAuthenticator }
			was, is = slices.DeleteFunc(slices.Clone(was), other), slices.DeleteFunc(slices.Clone(is), other)
		}
		all = append(all, changesOf(person, was, is)...)
	}
	order := []SignInChangeKind{SignInAdded, SignInRemoved, SignInRenewed, SignInMoved, SignInUpdated}
	slices.SortFunc(all, func(a, b SignInChange) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), slices.Index(order, a.What)-slices.Index(order, b.What), cmp.Compare(a.Method.ID, b.Method.ID))
	})
	return all
}

func changesOf(person string, before, after []SignInMethod) []SignInChange {
	var all []SignInChange
	gone := slices.Clone(before)
	var fresh []SignInMethod
	for _, m := range after {
		at := slices.IndexFunc(gone, func(o SignInMethod) bool { return o.ID == m.ID })
		if at < 0 {
			fresh = append(fresh, m)
			continue
		}
		old := gone[at]
		gone = slices.Delete(gone, at, at+1)
		switch {
		case old.Device != m.Device:
			all = append(all, SignInChange{person, SignInMoved, m, old})
		case old.Version != m.Version:
			all = append(all, SignInChange{person, SignInUpdated, m, old})
		}
	}
	for _, m := range fresh {
		at := slices.IndexFunc(gone, func(o SignInMethod) bool {
			return o.Kind == m.Kind && o.Device != "" && strings.EqualFold(o.Device, m.Device)
		})
		if at < 0 {
			all = append(all, SignInChange{Person: person, What: SignInAdded, Method: m})
			continue
		}
		all = append(all, SignInChange{person, SignInRenewed, m, gone[at]})
		gone = slices.Delete(gone, at, at+1)
	}
	for _, m := range gone {
		all = append(all, SignInChange{Person: person, What: SignInRemoved, Method: m})
	}
	return all
}
