using System.Net;

namespace FailoverHub.Web.Reachability;

/// <summary>One way to ask an address whether it answers.</summary>
internal interface IProbe
{
    ProbeMethod Method { get; }

    /// <summary>1 to 65535 with TCP, else null.</summary>
    int? Port { get; }

    /// <summary>Why nothing can be sent to this address at all, and what to do; null when it can. Says nothing about the address.</summary>
    string? ProblemFor(IPAddress address);

    /// <summary>Asks once. No answer within the timeout is a reply with an error, not an exception.</summary>
    Task<ProbeReply> SendAsync(IPAddress address, TimeSpan timeout, CancellationToken cancellationToken);
}

/// <summary>What came of one probe: the time to the answer, or why there is none.</summary>
internal readonly record struct ProbeReply(TimeSpan? RoundTrip, string? Error)
{
    /// <summary>The hub may have lost the answer itself: nothing is known of the address by this probe.</summary>
    public bool IsMissed { get; init; }

    public static ProbeReply Missed { get; } = new(null, "the hub lost the answer itself") { IsMissed = true };

    /// <summary>The hub's own machine did not let it out (no route, a link that is down, a filter, no room): nothing is learned of the address. <see cref="Error"/> says why.</summary>
    public bool IsUnsent { get; init; }

    public static ProbeReply Answered(TimeSpan roundTrip) => new(roundTrip, null);

    public static ProbeReply Failed(string why) => new(null, why);

    public static ProbeReply Unsent(string why) => new(null, why) { IsUnsent = true };

    public static ProbeReply Silent(TimeSpan timeout) => Failed($"no answer within {timeout.TotalMilliseconds:0} ms");
}
