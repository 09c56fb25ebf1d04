package discordtest

import (
	"fmt"
	"net/http"
	"strings"
)

// failure is an error as Discord writes it. The codes are those of
// https://discord.com/developers/docs/topics/opcodes-and-status-codes#json.
func failure(status, code int, message string) reply {
	return reply{status: status, body: object{"message": message, "code": code}}
}

func unknownChannel() reply { return failure(http.StatusNotFound, 10003, "Unknown Channel") }
func unknownMessage() reply { return failure(http.StatusNotFound, 10008, "Unknown Message") }
func missingAccess() reply  { return failure(http.StatusForbidden, 50001, "Missing Access") }
func missingPermissions() reply {
	return failure(http.StatusForbidden, 50013, "Missing Permissions")
}

// formErrors gathers what is wrong with a body, by path, for error 50035.
type formErrors struct {
	tree object
}

// add notes an error at a path such as "embeds.0.title". An empty path is the body itself.
func (f *formErrors) add(path, code, message string) {
	if f.tree == nil {
		f.tree = object{}
	}
	at := f.tree
	if path != "" {
		for key := range strings.SplitSeq(path, ".") {
			next, is := at[key].(object)
			if !is {
				next = object{}
				at[key] = next
			}
			at = next
		}
	}
	had, _ := at["_errors"].([]any)
	at["_errors"] = append(had, object{"code": code, "message": message})
}

func (f *formErrors) tooLong(path string, limit int) {
	f.add(path, "BASE_TYPE_MAX_LENGTH", fmt.Sprintf("Must be %d or fewer in length.", limit))
}

func (f *formErrors) badLength(path string, least, most int) {
	f.add(path, "BASE_TYPE_BAD_LENGTH", fmt.Sprintf("Must be between %d and %d in length.", least, most))
}

func (f *formErrors) required(path string) {
	f.add(path, "BASE_TYPE_REQUIRED", "This field is required")
}

// text checks a string's length in characters. Absent and empty are alike.
func (f *formErrors) text(path string, v any, least, most int) string {
	t, is := v.(string)
	switch n := len([]rune(t)); {
	case v != nil && !is:
		f.add(path, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
	case n == 0 && least > 0:
		f.required(path)
	case n < least:
		f.badLength(path, least, most)
	case n > most && least > 0:
		f.badLength(path, least, most)
	case n > most:
		f.tooLong(path, most)
	}
	return t
}

// reply is the answer to a body with errors, or nil.
func (f *formErrors) reply() *reply {
	if f.tree == nil {
		return nil
	}
	return &reply{status: http.StatusBadRequest, body: object{"message": "Invalid Form Body", "code": 50035, "errors": f.tree}}
}
