namespace FailoverHub.Web.Fleet;

/// <summary>What the owner of the present may do with a node's stream. None of these waits for the agent.</summary>
internal interface IAgentStream
{
    /// <summary>Unique within one run of the hub.</summary>
    long Id { get; }

    /// <summary>It is its node's stream: Welcome may be sent.</summary>
    void Admit();

    /// <summary>Sends the intent; one that is still waiting is superseded.</summary>
    void Offer(IntentFacts intent);

    /// <summary>Sends a request, without waiting.</summary>
    void Ask(SessionResetOrder request);

    /// <summary>Ends the stream.</summary>
    /// <param name="end">What kind of end it is.</param>
    /// <param name="why">For the agent's log.</param>
    void End(StreamEnd end, string why);
}

/// <summary>Why the hub ends a stream.</summary>
internal enum StreamEnd
{
    /// <summary>Another machine that is connected has that name.</summary>
    NameClash,

    /// <summary>A newer stream of the same node took its place.</summary>
    Replaced,

    /// <summary>Its certificate is not taken any more: revoked, replaced by another, or its node was removed.</summary>
    NotAllowed,

    /// <summary>Only for a moment: it is to dial again.</summary>
    NotNow,
}
