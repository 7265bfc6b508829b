//! Follow-ups through both doors.
