using System.Collections.Immutable;

namespace FailoverHub.Agent.Identity;

/// <summary>How the node stands with its hub, at one moment.</summary>
internal sealed record HubReading
{
    public required Uri Hub { get; init; }

    /// <summary>There is a stream that the hub has welcomed.</summary>
    public required bool IsConnected { get; init; }

    /// <summary>Why the last stream ended or none began, without a full stop; null: nothing went wrong yet.</summary>
    public string? LastError { get; init; }

    /// <summary>UTC.</summary>
    public DateTimeOffset? LastErrorAt { get; init; }

    /// <summary>As whom the node speaks with it; null: it has not joined, or the hub is one without certificates.</summary>
    public MembershipReading? Membership { get; init; }

    /// <summary>On which hosts the other nodes of the pair were when the hub welcomed this one last, as far as it knew.</summary>
    public ImmutableArray<PeerHost> Peers { get; init; } = [];
}

/// <summary>Another node of the pair, and the physical host that it runs on.</summary>
internal sealed record PeerHost(string Node, string Host);

/// <summary>The identity of a running agent, and what became of it.</summary>
/// <param name="Identity">In use.</param>
internal sealed record MembershipReading(HubIdentity Identity)
{
    /// <summary>Why the hub does not take the certificate, in its words; null: it does, or has not been asked.</summary>
    public string? Refusal { get; init; }

    /// <summary>Why the last renewal failed; null: it did not.</summary>
    public string? RenewalProblem { get; init; }
}

/// <summary>What stands about an identity in status, journal and doctor.</summary>
internal static class IdentityWords
{
    /// <summary>How it is had again, by whoever may.</summary>
    public static string JoinAgain(Uri hub) =>
        $"make a join token in the hub and run: failoverhub-agent join --hub {hub.GetLeftPart(UriPartial.Authority)} --token TOKEN";

    /// <summary>Stable word of a reading, for scripts: <c>refused</c> goes before what the clock says.</summary>
    public static string Condition(MembershipReading reading, DateTimeOffset now) => reading.Refusal is not null ? "refused" : reading.Identity.Times.At(now) switch
    {
        CertificateCondition.Expired => "expired",
        CertificateCondition.NotYetValid => "not-yet-valid",
        CertificateCondition.RenewalDue => "renewal-due",
        _ => "good",
    };

    /// <summary>What is to be done, in a sentence; null: nothing.</summary>
    public static string? Advice(MembershipReading reading, Uri hub, DateTimeOffset now) => (reading.Refusal, reading.Identity.Times.At(now)) switch
    {
        (not null, _) or (_, CertificateCondition.Expired) => $"addresses stay announced; {JoinAgain(hub)}",
        (_, CertificateCondition.NotYetValid) => "this machine's clock is off: timedatectl set-ntp true",
        _ => null,
    };
}
