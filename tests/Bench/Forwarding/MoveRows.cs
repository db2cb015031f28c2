using FailoverHub.Bench.Report;

namespace FailoverHub.Bench.Forwarding;

/// <summary>What is written down of every move: when the client's pings have come to the other node for good, and how many were lost.</summary>
internal sealed class MoveRows
{
    private readonly List<Row> _all = [];

    public MoveRows()
    {
        (Start, StartLost) = Two("start", "process start of the primary → the client comes to it");
        (Role, RoleLost) = Two("role", "role change: command → the client at the other node");
        (Drain, DrainLost) = Two("drain", "drain: command → the client at the standby");
        (Undrain, UndrainLost) = Two("undrain", "end of the drain: command → the client is back");
        (Stop, StopLost) = Two("stop", "SIGTERM → the client at the standby");
        (Kill, KillLost) = Two("kill", "SIGKILL → the client at the standby");
        (Return, ReturnLost) = Two("return", "the killed or stopped primary is started again → the client is back");
        Cut = Add("cut", "cut link: outage", "ms");
        FirstSession = Add("heal.first", "link healed after 15 s → first session", "ms");
        AllSessions = Add("heal.all", "link healed after 15 s → all sessions", "ms");
        HealLost = Add("heal.lost", "… lost on the way back", "pings");
    }

    public IReadOnlyList<Row> All => _all;

    public Row Start { get; }

    public Row StartLost { get; }

    public Row Role { get; }

    public Row RoleLost { get; }

    public Row Drain { get; }

    public Row DrainLost { get; }

    public Row Undrain { get; }

    public Row UndrainLost { get; }

    public Row Stop { get; }

    public Row StopLost { get; }

    public Row Kill { get; }

    public Row KillLost { get; }

    public Row Return { get; }

    public Row ReturnLost { get; }

    public Row Cut { get; }

    public Row FirstSession { get; }

    public Row AllSessions { get; }

    public Row HealLost { get; }

    private (Row Time, Row Lost) Two(string key, string title) => (Add(key, title, "ms"), Add($"{key}.lost", "… lost meanwhile", "pings"));

    private Row Add(string key, string title, string unit)
    {
        var row = new Row($"forwarding.{key}", title, unit);
        _all.Add(row);
        return row;
    }
}
