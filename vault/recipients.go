package vault

// CheckRecipients says what is wrong with age public keys that are configured, as
// a sentence that shows no secret one; nil: archives can be sealed to all of them
// at once.
func CheckRecipients(texts []string) error {
	_, _, err := parseRecipients(texts)
	return err
}
