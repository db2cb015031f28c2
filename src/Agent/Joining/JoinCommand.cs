using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Configuration.CommandLine;
using FailoverHub.Agent.Hub.Channels;
using FailoverHub.Agent.Hub.Enrolling;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Platform;

namespace FailoverHub.Agent.Joining;

/// <summary>
/// The command <c>join</c>, in this order: can it be kept, is it the hub of the token, a key, the hub's signature, all of it into one file, one connection. Before
/// that file is replaced nothing is changed on this machine, and the token is shown to nobody who was not recognised.
/// </summary>
/// <param name="options">What is asked for.</param>
/// <param name="time">For patience and certificates.</param>
/// <param name="output">For what was done.</param>
/// <param name="error">For what went wrong.</param>
internal sealed class JoinCommand(JoinOptions options, TimeProvider time, TextWriter output, TextWriter error)
{
    private readonly IdentityStore _store = new(options.StateDirectory);

    /// <returns>One of <see cref="JoinExit"/>.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        if (_store.Refuse() is { } refused)
        {
            return await FailAsync(JoinExit.Failed, $"{refused} The token is not used up.");
        }

        var (trust, code) = await RecogniseAsync(cancellationToken);
        if (trust is null)
        {
            return code;
        }

        (var identity, code) = await EnrollAsync(trust, cancellationToken);
        if (identity is null)
        {
            return code;
        }

        if (_store.Save(identity) is { } unkept)
        {
            return await FailAsync(JoinExit.Failed, $"the hub has made this machine its node {identity.Node}, but that cannot be kept: {unkept} Then join again with a new token.");
        }

        await SayAsync(identity);
        return await ConnectAsync(identity, cancellationToken);
    }

    // The token goes to nobody who was not recognised; the one question before that has no secret in it.
    private async Task<(HubTrust? Trust, int Code)> RecogniseAsync(CancellationToken cancellationToken)
    {
        if (options.Trust is not null || !options.Token.NamesAuthority)
        {
            return (options.Trust ?? new HubTrust.OfTheSystem(), JoinExit.Joined);
        }

        using var channel = HubChannel.ToAnybody(options.Hub, time);
        var answer = await EnrollmentClient.AuthorityAsync(channel, cancellationToken);
        if (answer.Given is not { } authority)
        {
            return (null, await RefusedAsync(answer.Problem!));
        }

        return options.Token.Names(authority.Certificate.AsSpan())
            ? (new HubTrust.Pinned(authority.Certificate), JoinExit.Joined)
            : (null, await FailAsync(JoinExit.NotTheHub, $"what answers at {options.Hub} is not the hub that made this token: its authority has another fingerprint. Is the address right, and is the token of this hub? If both are, somebody is in between. The token was not sent."));
    }

    private async Task<(HubIdentity? Identity, int Code)> EnrollAsync(HubTrust trust, CancellationToken cancellationToken)
    {
        var (key, request) = NodeKey.Make();
        var node = options.Node ?? _store.Load().Identity?.Node ?? options.HostName;
        using var channel = HubChannel.To(options.Hub, trust, identity: null, time);
        var answer = await EnrollmentClient.JoinAsync(channel, options.Token, node, request, AgentCommandLine.Version, cancellationToken);
        if (answer.Given is not { } issued)
        {
            return (null, await RefusedAsync(answer.Problem!));
        }

        var (identity, problem) = HubIdentity.Make(options.Hub, trust, key, issued);
        if (problem is null && options.Token.NamesAuthority && !options.Token.Names(issued.Authority.AsSpan()))
        {
            (identity, problem) = (null, "its authority is not the one that the token names");
        }

        return identity is null
            ? (null, await FailAsync(JoinExit.Failed, $"what the hub at {options.Hub} has issued cannot be used: {problem}. Nothing is changed here; the token is used up."))
            : (identity, JoinExit.Joined);
    }

    private Task<int> RefusedAsync(EnrollmentProblem problem) => problem.Kind switch
    {
        EnrollmentProblemKind.NotReachable => FailAsync(JoinExit.NotReachable, $"no hub answers at {options.Hub}: {problem.Text}. Is this the address for agents (https, port 5443 unless it was changed), and does a firewall let this machine reach it?"),
        EnrollmentProblemKind.NotTheHub => FailAsync(JoinExit.NotTheHub, $"{options.Hub}: {problem.Text}. The token was not sent."),
        EnrollmentProblemKind.NotAccepted => FailAsync(JoinExit.TokenRefused, $"the hub does not take this token: {problem.Text}. A token is good once and for 15 minutes, and may be bound to another name: make a new one in the hub."),
        EnrollmentProblemKind.NameNotGiven => FailAsync(JoinExit.NameNotGiven, $"the hub does not give this name: {problem.Text}. Choose another one with --node NAME, or make a token for that node in the hub if this machine is to take its place."),
        EnrollmentProblemKind.TooMany => FailAsync(JoinExit.TokenRefused, $"the hub takes no more tries now: {problem.Text}. Wait a few minutes."),
        _ => FailAsync(JoinExit.Failed, $"{options.Hub}: {problem.Text}. Look into the hub's log."),
    };

    private async Task SayAsync(HubIdentity identity)
    {
        await output.WriteLineAsync($"Joined {identity.Hub} as {identity.Node}.");
        await output.WriteLineAsync($"  certificate    until {CertificateTimes.Text(identity.Times.NotAfter)}; the agent renews it after {CertificateTimes.Text(identity.Times.RenewAfter)}");
        await output.WriteLineAsync($"  kept in        {_store.Path} (key and certificate, mode 600)");
        if (identity.Times.At(time.GetUtcNow()) is CertificateCondition.NotYetValid or CertificateCondition.Expired)
        {
            await output.WriteLineAsync($"warning: this machine's clock says {CertificateTimes.Text(time.GetUtcNow())}, and the certificate is good from {CertificateTimes.Text(identity.Times.NotBefore)} to {CertificateTimes.Text(identity.Times.NotAfter)}: the clock is off (timedatectl set-ntp true)");
        }
    }

    private async Task<int> ConnectAsync(HubIdentity identity, CancellationToken cancellationToken)
    {
        var takeover = await RunningAgent.TakeOverAsync(options.ControlSocket, identity, time, cancellationToken);
        if (takeover is not null)
        {
            await (takeover.Problem is null ? output : error).WriteLineAsync(takeover.Problem is null
                ? $"  running agent  process {takeover.ProcessId} is connected with it; its BGP sessions were not touched. Nothing is left to do."
                : $"error: joined, but the running agent (process {takeover.ProcessId}) is not connected with it yet: {takeover.Problem}. Its BGP sessions are not touched, it goes on trying; see: failoverhub-agent status");
            return takeover.Problem is null ? JoinExit.Joined : JoinExit.NotConnected;
        }

        var intent = new IntentStore(Path.Combine(options.StateDirectory, "intent.json"), static _ => { }).Load().Intent;
        if (await FirstConnection.TryAsync(identity, AgentCommandLine.Version, intent?.Revision ?? 0, time) is { } problem)
        {
            return await FailAsync(JoinExit.NotConnected, $"joined and kept, but the hub could not be reached with the new certificate: {problem}. The agent tries that on and on once it runs; no new token is needed.");
        }

        await output.WriteLineAsync("  connected      once, with the new certificate");
        await output.WriteLineAsync($"Next: {NextStep()}");
        return JoinExit.Joined;
    }

    private string NextStep() => options.StateDirectory == AgentOptionsReader.DefaultStateDirectory
        ? "systemctl restart failoverhub-agent, or failoverhub-agent run with your flags; --hub is not needed."
        : $"failoverhub-agent run --state {options.StateDirectory} with your other flags; --hub is not needed.";

    private async Task<int> FailAsync(int code, string sentence)
    {
        await error.WriteLineAsync($"error: {sentence}");
        return code;
    }
}
