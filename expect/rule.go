package expect

// A standingRule holds until it is removed.
type standingRule struct {
	rule  Rule
	count int   // how often it has fired; of whoever holds the turn
	shown int64 // as in entry.shown
}

// Always answers the rules whenever they match during any wait of this
// conversation, until remove is called. A call's own cases come first where
// both match at the same place. Rules act only inside waits.
func (c *Console) Always(rules ...Rule) (remove func()) {
	mine := make(map[*standingRule]bool, len(rules))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rules {
		s := &standingRule{rule: r}
		mine[s] = true
		c.standing = append(c.standing, s)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		keep := make([]*standingRule, 0, len(c.standing))
		for _, s := range c.standing {
			if !mine[s] {
				keep = append(keep, s)
			}
		}
		c.standing = keep
	}
}
