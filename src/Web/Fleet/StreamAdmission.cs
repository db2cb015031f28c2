using FailoverHub.Web.History;

namespace FailoverHub.Web.Fleet;

/// <summary>
/// Whether a new stream becomes its node's stream, and what its coming says about who uses the node's identity. Pure.
/// Two living machines with one name never take turns: the one that came first stays, the other is told to go, and both are shown. A stream
/// that comes back as an earlier run of the agent, or with an older certificate than was used before, is let in when nobody else is there,
/// because the node may have been put back from a snapshot; but it is shown as what it may be.
/// </summary>
internal static class StreamAdmission
{
    /// <summary>A sign of a copy is shown for so long after the last one.</summary>
    public static readonly TimeSpan SignFor = TimeSpan.FromHours(1);

    // More starts of an agent than an operator makes while he is copying machines.
    private const int RememberedBoots = 16;

    /// <summary>Why the stream must not be its node's stream; null: it may.</summary>
    public static FleetEffect.Refuse? Against(NodeFacts? known, FleetMessage.StreamOpened opened, Moment now)
    {
        if (known?.Held is { } held)
        {
            return new FleetEffect.Refuse(opened.StreamId, StreamEnd.NotNow, held);
        }

        if (opened.Identity is { } identity && (known?.Identity is not { } mine || mine.NodeId != identity.NodeId || !mine.Valid.Contains(identity.Serial)))
        {
            return new FleetEffect.Refuse(opened.StreamId, StreamEnd.NotNow, "What the hub knows of this certificate has just changed. Dial again.");
        }

        // The same run of the agent dials again when its connection broke before we saw it; any other run may take the place
        // only of one that has gone silent.
        return known?.Stream is { } old && old.BootId != opened.Hello.BootId && IsAlive(old, now)
            ? new FleetEffect.Refuse(opened.StreamId, StreamEnd.NameClash, opened.Identity is null
                ? $"Another machine that is connected now ({known.RemoteAddress ?? "address unknown"}) calls itself '{known.Name}'. Give one of them another name with --node."
                : $"Another machine that is connected now ({known.RemoteAddress ?? "address unknown"}) uses the certificate of '{known.Name}'. If this one is a copy of it, have it join as a node of its own: failoverhub-agent join, with a new token and another name.")
            : null;
    }

    /// <summary>What a stream that was turned away says about copies; only certificates say something.</summary>
    public static NodeFacts Refused(NodeFacts known, FleetMessage.StreamOpened opened, Moment now) =>
        opened.Identity is null
            ? known
            : known with { CopySeen = new CloneSign(now, $"Two machines use the certificate of {known.Name} at the same time: one at {known.RemoteAddress ?? "an unknown address"}, which stays connected, and one at {opened.RemoteAddress ?? "an unknown address"}, which was refused.") };

    /// <summary>What a stream that is let in says about copies, and what is to be remembered for the next one.</summary>
    public static NodeFacts Admitted(NodeFacts node, FleetMessage.StreamOpened opened, Moment now)
    {
        if (opened.Identity is not { } identity)
        {
            return node;
        }

        var boot = opened.Hello.BootId;
        string? sign = node.Boots.Contains(boot) && node.Boots[^1] != boot
            ? $"Two machines take turns with the certificate of {node.Name}: a run of its agent that another one had followed is back, now from {opened.RemoteAddress ?? "an unknown address"}, before from {node.RemoteAddress ?? "an unknown address"}."
            : node.NewestUsed is { } newest && identity.NotAfter < newest
                ? $"An older certificate of {node.Name} than the one it used last came from {opened.RemoteAddress ?? "an unknown address"}: a copy of the node, or the node put back from a snapshot."
                : null;
        return node with
        {
            CopySeen = sign is null ? node.CopySeen : new CloneSign(now, sign),
            Boots = node.Boots.Contains(boot) ? [.. node.Boots.Remove(boot), boot] : [.. node.Boots.TakeLast(RememberedBoots - 1), boot],
            NewestUsed = node.NewestUsed is { } used && used > identity.NotAfter ? used : identity.NotAfter,
        };
    }

    /// <summary>The event of a sign after a while without any; null: it was told already.</summary>
    public static FleetEffect? Told(FleetFacts facts, NodeFacts before, NodeFacts after, Moment now) =>
        after.CopySeen is { } sign && (before.CopySeen is not { } old || now.Uptime - old.At.Uptime > SignFor)
            ? new FleetEffect.Happened(new EventDraft
            {
                At = now.Wall,
                Kind = EventKinds.NodeCloned,
                Severity = EventSeverity.Critical,
                Node = after.Name,
                Pair = facts.PairOf(after.Name)?.Name,
                Text = $"{sign.Text} Find the other machine and have it join as a node of its own, or revoke the certificate and join again.",
            })
            : null;

    private static bool IsAlive(StreamFacts stream, Moment now) => now.Uptime - stream.LastMessageAt.Uptime <= FleetProjection.FreshFor;
}
