using System.Security.Cryptography;
using FailoverHub.Agent.Hub.Channels;
using FailoverHub.Agent.Identity;
using FailoverHub.Protos.V1;
using Grpc.Core;

namespace FailoverHub.Agent.Hub.Enrolling;

/// <summary>One stream with a new certificate, from its greeting to its end: whether the hub takes it is known before an agent depends on it.</summary>
internal static class FirstConnection
{
    /// <summary>Null: the hub has welcomed this node. Else why not, without a full stop.</summary>
    /// <param name="identity">As whom.</param>
    /// <param name="version">Of this program.</param>
    /// <param name="revision">Of the intent that this node has kept; 0: none.</param>
    /// <param name="time">For the patience, which is <see cref="EnrollmentClient.Patience"/>.</param>
    public static async Task<string?> TryAsync(HubIdentity identity, string version, ulong revision, TimeProvider time)
    {
        using var patience = new CancellationTokenSource(EnrollmentClient.Patience, time);
        try
        {
            using var channel = HubChannel.To(identity.Hub, identity.Trust, identity, time);
            try
            {
                return await GreetAsync(channel, identity, version, revision, patience.Token);
            }
            catch (RpcException exception)
            {
                return patience.IsCancellationRequested ? $"no answer within {EnrollmentClient.Patience.TotalSeconds:0} s" : channel.Words(exception).TrimEnd('.');
            }
        }
        catch (CryptographicException exception)
        {
            return $"the certificate cannot be used: {exception.Message.TrimEnd('.')}";
        }
        catch (OperationCanceledException)
        {
            return $"no answer within {EnrollmentClient.Patience.TotalSeconds:0} s";
        }
    }

    private static async Task<string?> GreetAsync(HubChannel channel, HubIdentity identity, string version, ulong revision, CancellationToken cancellationToken)
    {
        using var call = new AgentLink.AgentLinkClient(channel.Grpc).Connect(cancellationToken: cancellationToken);
        await Greeting.SayAsync(call, HubMapping.Hello(identity.Node, version, Guid.NewGuid().ToString("N"), revision), cancellationToken);
        if (!await call.ResponseStream.MoveNext(cancellationToken))
        {
            return "it closed the stream instead of a welcome";
        }

        var welcomed = call.ResponseStream.Current.Welcome is not null;

        // A proper end: nothing is left of this stream when an agent begins its own.
        await call.RequestStream.CompleteAsync();
        while (await call.ResponseStream.MoveNext(cancellationToken))
        {
        }

        return welcomed ? null : "it began with something else than a welcome";
    }
}
