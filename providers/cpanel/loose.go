package cpanel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Live hosts type their JSON loosely: numbers come as strings ("12.00"), booleans as 0
// and 1, a list of one as that one, and what is not there as null, "" or nothing
// (go-cpanel had to relax its decoder for the same reason). The types below take all of
// it, and refuse what has no such meaning.

var errLoose = errors.New("not a value of the expected kind")

// scalar gives the text of a JSON scalar without its quotes; false for null, and an error
// for an object or a list.
func scalar(b []byte) (string, bool, error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" {
		return "", false, nil
	}
	switch b[0] {
	case '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return "", false, err
		}
		return strings.TrimSpace(s), true, nil
	case '{', '[':
		return "", false, fmt.Errorf("%w: %.40s", errLoose, b)
	}
	return string(b), true, nil
}

// looseFloat reads what a host means by a number: 12, "12", "12.00", true, null and "".
// "unlimited" is 0, as in the functions that write it as a number.
func looseFloat(b []byte) (float64, error) {
	s, ok, err := scalar(b)
	if err != nil || !ok || s == "" {
		return 0, err
	}
	switch s {
	case "true":
		return 1, nil
	case "false", "unlimited", "∞":
		return 0, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%w: %.40q is no number", errLoose, s)
	}
	return f, nil
}

// number is a whole number. A fraction is cut off.
type number int64

// UnmarshalJSON takes 12, "12", "12.00", true, false, null and "".
func (n *number) UnmarshalJSON(b []byte) error {
	if s, _, err := scalar(b); err == nil {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil { // exact beyond 2^53
			*n = number(i)
			return nil
		}
	}
	f, err := looseFloat(b)
	if err != nil {
		return err
	}
	if f >= math.MaxInt64 || f <= math.MinInt64 {
		return fmt.Errorf("%w: %v is too large", errLoose, f)
	}
	*n = number(f)
	return nil
}

// decimal is a number with a fraction.
type decimal float64

// UnmarshalJSON takes what number takes.
func (d *decimal) UnmarshalJSON(b []byte) error {
	f, err := looseFloat(b)
	if err == nil {
		*d = decimal(f)
	}
	return err
}

// text is a string, which a host may write as a number.
type text string

// UnmarshalJSON takes "x", 12, true and null, which is "".
func (t *text) UnmarshalJSON(b []byte) error {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] == '"' {
		var s string
		err := json.Unmarshal(trimmed, &s)
		*t = text(s) // as it is: a name may begin with a space
		return err
	}
	s, _, err := scalar(b)
	if err == nil {
		*t = text(s)
	}
	return err
}

// flag is a truth.
type flag bool

// UnmarshalJSON takes 0, 1, "0", "1", true, false, "", null and words for yes and no.
func (f *flag) UnmarshalJSON(b []byte) error {
	s, _, err := scalar(b)
	if err != nil {
		return err
	}
	switch strings.ToLower(s) {
	case "", "false", "no", "off", "n":
		*f = false
		return nil
	case "true", "yes", "on", "y":
		*f = true
		return nil
	}
	x, err := looseFloat(b)
	if err == nil {
		*f = x != 0
	}
	return err
}

// list is several of something.
type list[T any] []T

// UnmarshalJSON takes an array, null and "", one element without its array, and an
// object with numbered keys ("0", "1", …), which Perl makes of a list now and then.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || string(b) == "null" || string(b) == `""` {
		*l = nil
		return nil
	}
	if b[0] == '[' {
		var all []T
		err := json.Unmarshal(b, &all)
		*l = all
		return err
	}
	if b[0] == '{' {
		var numbered map[string]json.RawMessage
		if err := json.Unmarshal(b, &numbered); err != nil {
			return err
		}
		if len(numbered) == 0 {
			*l = nil
			return nil
		}
		if all, ok, err := inOrder[T](numbered); ok {
			*l = all
			return err
		}
	}
	var one T
	err := json.Unmarshal(b, &one)
	*l = list[T]{one}
	return err
}

// inOrder gives the values of an object whose keys are all numbers, in their order;
// false where it is another object.
func inOrder[T any](numbered map[string]json.RawMessage) ([]T, bool, error) {
	keys := make([]int, 0, len(numbered))
	for k := range numbered {
		n, err := strconv.Atoi(k)
		if err != nil || n < 0 || strconv.Itoa(n) != k {
			return nil, false, nil
		}
		keys = append(keys, n)
	}
	slices.Sort(keys)
	all := make([]T, len(keys))
	for i, k := range keys {
		if err := json.Unmarshal(numbered[strconv.Itoa(k)], &all[i]); err != nil {
			return nil, true, err
		}
	}
	return all, true, nil
}

// stamp is a moment, which hosts give in seconds since 1970. The zero value is none.
type stamp struct{ time.Time }

// UnmarshalJSON takes seconds as a number or a string, with a fraction or without;
// null, "" and 0 are none.
func (s *stamp) UnmarshalJSON(b []byte) error {
	f, err := looseFloat(b)
	if err != nil {
		return err
	}
	s.Time = time.Time{}
	if f != 0 {
		if math.Abs(f) > 253402300799 { // the end of the year 9999
			return fmt.Errorf("%w: %v is no moment", errLoose, f)
		}
		s.Time = time.Unix(int64(f), 0).UTC()
	}
	return nil
}
