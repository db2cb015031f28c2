using System.Collections.Immutable;
using System.Net;

namespace FailoverHub.Web.Fleet;

/// <summary>What is wrong with who answers on a shared address.</summary>
public enum AnswerMarkKind
{
    /// <summary>Two nodes answer in turn.</summary>
    Split,

    /// <summary>Another node answers than the one that announces the address as primary.</summary>
    Elsewhere,

    /// <summary>Somebody answers as a node that he is not.</summary>
    Forged,
}

/// <summary>Something is wrong with who answers on a shared address.</summary>
/// <param name="Kind">What.</param>
/// <param name="Text">One English sentence.</param>
/// <param name="Since">Since when.</param>
public sealed record AnswerMark(AnswerMarkKind Kind, string Text, DateTimeOffset Since);

/// <summary>Who answers on a shared address, as of an answer that is current.</summary>
/// <param name="Prefix">The address's prefix.</param>
/// <param name="Node">The node; null: none has proved that it answers, or two do in turn.</param>
/// <param name="At">When that was asked.</param>
/// <param name="Ttl">TTL or hop limit with which the answer came; null: the machine does not tell.</param>
/// <param name="Mark">What is wrong with it; null: nothing.</param>
public sealed record AnswerView(IPNetwork Prefix, string? Node, DateTimeOffset At, int? Ttl, AnswerMark? Mark)
{
    /// <summary>Says the same as the other but for its age.</summary>
    internal bool SaysTheSameAs(AnswerView other) => (Prefix, Node, Ttl, Mark) == (other.Prefix, other.Node, other.Ttl, other.Mark);
}

/// <summary>What the last question to a shared address found.</summary>
internal sealed record PrefixAnswer(IPNetwork Prefix, string? Node, Moment At, int? Ttl, AnswerMark? Mark)
{
    /// <summary>An answer that is older says nothing about now.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(3);

    /// <summary>Null: it is too old.</summary>
    public AnswerView? ViewAt(Moment now) => now.Uptime - At.Uptime <= FreshFor ? new AnswerView(Prefix, Node, At.Wall, Ttl, Mark) : null;

    /// <summary>Say the same but for their ages.</summary>
    public static bool SayTheSame(ImmutableDictionary<IPNetwork, PrefixAnswer> a, ImmutableDictionary<IPNetwork, PrefixAnswer> b) =>
        ReferenceEquals(a, b) || (a.Count == b.Count && a.All(one => b.GetValueOrDefault(one.Key) is { } other && (one.Value.Node, one.Value.Ttl, one.Value.Mark) == (other.Node, other.Ttl, other.Mark)));
}
