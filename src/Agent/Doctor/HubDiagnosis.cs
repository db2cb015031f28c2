using FailoverHub.Agent.Identity;

namespace FailoverHub.Agent.Doctor;

/// <summary>How the node stands with its hub. No address depends on it, but nobody sees or moves one without it.</summary>
internal static class HubDiagnosis
{
    /// <summary>A certificate with less left should have been renewed long ago.</summary>
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(7);

    /// <summary>Whether there is a stream: only the running agent knows.</summary>
    public static Finding Connected(DoctorFacts facts) => (facts.Status, facts.Status?.HubLink) switch
    {
        (_, { Connected: true } link) => Finding.Passed("hub", $"the agent is connected to its hub {link.Hub}"),
        (_, { } link) => Finding.Failed(
            "hub",
            $"the agent is not connected to its hub {link.Hub}{(link.LastError is { } error ? $": {error}" : "")}",
            "What is announced stays, and no intent of the hub arrives. Does the hub run, and does a firewall let TCP to it through? The agent tries again by itself."),
        ({ }, null) when facts.Options.Hub is { } hub => Finding.Unknown("hub", $"the agent runs without a hub, though {hub} is configured or joined", "Have it read its configuration again: systemctl reload failoverhub-agent, or SIGHUP."),
        (null, null) when facts.Options.Hub is { } hub => Finding.Unknown("hub", $"whether {hub} can be reached only a running agent says"),
        _ => Finding.NotApplicable("hub", "stand-alone: there is no hub"),
    };

    /// <summary>As whom the node goes there, and for how long still.</summary>
    public static Finding Certificate(DoctorFacts facts)
    {
        // The running agent's word counts: whoever asks may not be allowed to read what it has.
        var identity = facts.Status?.HubLink?.Identity;
        if ((identity is null ? facts.Status?.JoinProblem ?? facts.Options.JoinProblem : facts.Status!.JoinProblem) is { } problem)
        {
            return Finding.Failed("certificate", "what this node has of its hub cannot be used", problem);
        }

        if (identity?.Refusal is { } refusal)
        {
            return Finding.Failed("certificate", $"the hub does not take this node's certificate: {refusal}", identity.Advice ?? JoinAgain(facts));
        }

        if ((identity?.NotAfter ?? facts.CertificateEnds) is not { } ends)
        {
            return facts.Options.Hub is { Scheme: "https" }
                ? Finding.Failed("certificate", "this node has no certificate for its hub, which takes no node without one", JoinAgain(facts))
                : Finding.NotApplicable("certificate", facts.Options.Hub is null ? "stand-alone: there is no hub to show one to" : "the agent has no certificate for its hub");
        }

        var left = ends - facts.Now;
        var days = (int)Math.Floor(left.TotalDays);
        var why = identity?.RenewalProblem is { } notRenewed ? $", and was not renewed: {notRenewed}" : "";
        return left <= TimeSpan.Zero ? Finding.Failed("certificate", $"the certificate for the hub ended {-days} {(days == -1 ? "day" : "days")} ago{why}", $"Addresses are announced all the same; {JoinAgain(facts)}")
            : left < CertificateWarning ? Finding.Failed("certificate", $"the certificate for the hub ends in {days} {(days == 1 ? "day" : "days")}{why}", "It should have renewed itself: is the hub reachable, and what does the agent's log say?")
            : Finding.Passed("certificate", $"the certificate for the hub is good for {days} days");
    }

    private static string JoinAgain(DoctorFacts facts) => facts.Options.Hub is { } hub ? IdentityWords.JoinAgain(hub) : "join the hub again";
}
