// Sends events to a Laneway hub with Go's standard library. LOGGING_URL is the hub's …/log.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

// Event holds any fields; agent and event are needed, the hub adds timestamp and id where they are missing.
type Event map[string]any

func send(events ...Event) error {
	body, err := json.Marshal(events)
	if err != nil {
		return err
	}
	request, err := http.NewRequest("POST", os.Getenv("LOGGING_URL"), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+os.Getenv("LANEWAY_TOKEN"))
	client := http.Client{Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the hub answered %s", answer.Status)
	}
	return nil
}

func main() {
	span := "00f067aa0ba902b7"
	err := send(
		Event{"agent": "go", "event": "decision", "content": "go by train", "session_id": "s1"},
		Event{"agent": "go", "event": "tool_invocation", "tool": "timetable", "input": Event{"to": "Bergen"}, "span_id": span},
		Event{"agent": "go", "event": "tool_result", "tool": "timetable", "output": "08:25", "span_id": span, "duration_ms": 12},
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
