using System.Net;
using FailoverHub.Web.Agents.Limits;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Identity;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace FailoverHub.Web.Agents;

/// <summary>
/// Who calls. TLS takes any certificate, so that a refusal can be a sentence; here it is decided, with each call, what the certificate is worth now.
/// Everything is denied but what a machine needs that has no certificate yet. Without TLS, which the options allow on loopback only, there
/// are no certificates: a node is what it calls itself, and nobody joins.
/// </summary>
internal sealed partial class AgentGate(NodeRegister register, FleetStore fleet, RefusedCalls calls, TimeProvider time, ILogger<AgentGate> logger) : Interceptor
{
    private const string Join = "/failoverhub.v1.Enrollment/Join";
    private const string GetAuthority = "/failoverhub.v1.Enrollment/GetAuthority";
    private const string Enrollment = "/failoverhub.v1.Enrollment/";

    /// <summary>Who calls, null: the endpoint has no TLS, or this call needs no certificate.</summary>
    public static CertificateVerdict.Known? CallerOf(ServerCallContext context) => context.GetHttpContext().Features.Get<CertificateVerdict.Known>();

    /// <summary>Where a call comes from.</summary>
    public static IPAddress? AddressOf(ServerCallContext context) =>
        context.GetHttpContext().Connection.RemoteIpAddress is { } address ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address : null;

    /// <summary>The same with the port, in words.</summary>
    public static string? EndPointOf(ServerCallContext context) =>
        AddressOf(context) is { } address ? new IPEndPoint(address, context.GetHttpContext().Connection.RemotePort).ToString() : null;

    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await GuardedAsync(context, () => continuation(request, context));
    }

    public override async Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        return await GuardedAsync(context, () => continuation(requestStream, context));
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await GuardedAsync(context, () => WholeAsync(continuation(request, responseStream, context)));
    }

    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        await AdmitAsync(context);
        await GuardedAsync(context, () => WholeAsync(continuation(requestStream, responseStream, context)));
    }

    private static async Task<bool> WholeAsync(Task call)
    {
        await call;
        return true;
    }

    // The framework would tell it, and what clients send beside it, each time with a stack trace: its own log is off.
    private async Task<T> GuardedAsync<T>(ServerCallContext context, Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception defect) when (IsDefect(defect, context))
        {
            LogDefect(logger, context.Method, defect);
            throw;
        }
    }

    // Whoever has gone away makes exceptions too; a refusal says what it is by itself.
    private static bool IsDefect(Exception thrown, ServerCallContext context) => thrown is not RpcException && !context.CancellationToken.IsCancellationRequested;

    [LoggerMessage(Level = LogLevel.Error, Message = "A defect of the hub has ended {Method}")]
    private static partial void LogDefect(ILogger logger, string method, Exception exception);

    private async Task AdmitAsync(ServerCallContext context)
    {
        var http = context.GetHttpContext();
        if (!http.Request.IsHttps)
        {
            if (context.Method.StartsWith(Enrollment, StringComparison.Ordinal))
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "This hub serves its agents without TLS, for trials on one machine: there are no certificates, and nobody joins. Start it with --agent-url https://*:5443."));
            }

            return;
        }

        if (context.Method is Join or GetAuthority)
        {
            return;
        }

        var presented = http.Features.Get<PresentedCertificate>() ?? PresentedCertificate.None;
        switch (CertificateJudge.Judge(presented, register.FindById, time.GetUtcNow()))
        {
            case CertificateVerdict.Known known:
                http.Features.Set(known);
                return;
            case CertificateVerdict.Refused refused:
                if (refused.Node is { RemovedAt: null } node && calls.IsNews(node.NodeId, node.Name))
                {
                    await fleet.PostAsync(new FleetMessage.NodeRefused(node.Name, EndPointOf(context), refused.Why), context.CancellationToken);
                }

                throw new RpcException(new Status(StatusCode.Unauthenticated, refused.Why));
        }
    }
}
