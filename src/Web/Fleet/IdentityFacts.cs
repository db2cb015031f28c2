using System.Collections.Immutable;

namespace FailoverHub.Web.Fleet;

/// <summary>Who a node is by the hub's table, as far as the present shows it.</summary>
internal sealed record IdentityFacts
{
    public required string NodeId { get; init; }

    public required DateTimeOffset JoinedAt { get; init; }

    /// <summary>The newest certificate.</summary>
    public required string Serial { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Times that it got the next certificate for the one before, since it last joined by a token.</summary>
    public required int Renewals { get; init; }

    /// <summary>Null: it may connect.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    public string? RevokedReason { get; init; }

    /// <summary>Serials of the certificates that are taken.</summary>
    public required ImmutableArray<string> Valid { get; init; }
}

/// <summary>What the certificate of a stream says.</summary>
/// <param name="NodeId">Who it is.</param>
/// <param name="Serial">Of the certificate.</param>
/// <param name="NotAfter">End of its life; of two certificates of a node the one that ends later was issued later.</param>
internal sealed record StreamIdentity(string NodeId, string Serial, DateTimeOffset NotAfter);

/// <summary>A sign that two machines use one identity. It is shown for as long as it is young; nothing proves that the other machine is gone.</summary>
/// <param name="At">The last sign.</param>
/// <param name="Text">One English sentence.</param>
internal sealed record CloneSign(Moment At, string Text);

/// <summary>That a certificate of the node was turned away, and why.</summary>
internal sealed record RefusalFacts(DateTimeOffset At, string? RemoteAddress, string Why);

/// <summary>Who a node is, for whoever looks.</summary>
public sealed record NodeIdentityView
{
    /// <summary>Never changes, whatever the node is called; it stands in its certificate.</summary>
    public required string NodeId { get; init; }

    /// <summary>When it first joined.</summary>
    public required DateTimeOffset JoinedAt { get; init; }

    /// <summary>Serial number of its newest certificate, lower-case hex.</summary>
    public required string Serial { get; init; }

    /// <summary>When that was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>When it expires. Its agent asks for the next one when two thirds of its life are over.</summary>
    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Times that it was renewed since the node last joined by a token.</summary>
    public required int Renewals { get; init; }

    /// <summary>When somebody revoked it, null: nobody did.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>Why, in the words of whoever did.</summary>
    public string? RevokedReason { get; init; }

    /// <summary>Whole days until it expires, rounded down; negative once it has.</summary>
    public int DaysLeft(DateTimeOffset now) => (int)Math.Floor((NotAfter - now).TotalDays);
}
