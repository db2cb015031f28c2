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
    /// <param name="nameClash">Another machine has that name; else a newer stream of the same node took its place.</param>
    /// <param name="why">For the agent's log.</param>
    void End(bool nameClash, string why);
}
