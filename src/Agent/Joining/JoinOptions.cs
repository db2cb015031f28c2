using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Joining;

/// <summary>What <c>join</c> was asked to do.</summary>
internal sealed record JoinOptions
{
    /// <summary>https.</summary>
    public required Uri Hub { get; init; }

    public required JoinToken Token { get; init; }

    /// <summary>Wanted name; null: as the node was called at its last join, else as the host.</summary>
    public string? Node { get; init; }

    public required string HostName { get; init; }

    /// <summary>By what the hub is recognised, as the operator says; null: by the authority that the token names, else by those of this machine.</summary>
    public HubTrust? Trust { get; init; }

    /// <summary>Absolute.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Where a running agent would answer.</summary>
    public required string ControlSocket { get; init; }
}

/// <summary>Exit codes of <c>join</c>, a contract with scripts. 2 is usage, as everywhere.</summary>
internal static class JoinExit
{
    public const int Joined = 0;

    /// <summary>The state directory cannot be written, or what the hub issued cannot be used. Nothing is changed.</summary>
    public const int Failed = 1;

    /// <summary>No hub answers. Nothing is changed.</summary>
    public const int NotReachable = 3;

    /// <summary>What answers is not the hub of the token. Nothing is changed, and the token was not shown to it.</summary>
    public const int NotTheHub = 4;

    /// <summary>The hub does not take the token. Nothing is changed.</summary>
    public const int TokenRefused = 5;

    /// <summary>The hub does not give this node that name. Nothing is changed.</summary>
    public const int NameNotGiven = 6;

    /// <summary>Joined and kept, but the hub could not be reached with the new certificate yet.</summary>
    public const int NotConnected = 7;
}
