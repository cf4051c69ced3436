package ise

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// ApplyANC applies an ANC policy to the endpoint of that MAC address. That it applies already is ErrExists, unless the answer to
// an earlier attempt was lost.
func (c *Client) ApplyANC(ctx context.Context, mac, policy string) error {
	err := c.anc(ctx, "apply", mac, policy)
	if doneBefore(err, ErrExists) {
		return nil
	}
	return err
}

// ClearANC takes the ANC policy off the endpoint of that MAC address. That none applies is ErrNotFound, unless the answer to an
// earlier attempt was lost.
func (c *Client) ClearANC(ctx context.Context, mac string) error {
	err := c.anc(ctx, "clear", mac, "")
	if doneBefore(err, ErrNotFound) {
		return nil
	}
	return err
}

func (c *Client) anc(ctx context.Context, op, mac, policy string) error {
	q := c.ANCEndpoint.ask(op, op, http.MethodPut, "")
	q.name = mac
	type pair struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	address, err := ParseMAC(mac)
	if err != nil {
		return q.fail(fmt.Errorf("%w: %w", ErrInvalid, err))
	}
	pairs := []pair{{"macAddress", address}}
	if policy != "" {
		pairs = append(pairs, pair{"policyName", policy})
	}
	q.body, err = json.Marshal(map[string]any{"OperationAdditionalData": map[string]any{"additionalData": pairs}})
	if err != nil {
		return q.fail(err)
	}
	_, err = c.do(ctx, q)
	return err
}
