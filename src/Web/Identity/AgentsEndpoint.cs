using System.Collections.Immutable;

namespace FailoverHub.Web.Identity;

/// <summary>A server certificate that the operator gives: PEM, the certificate first and then those between it and its authority.</summary>
internal sealed record OperatorCertificate(string CertificateFile, string KeyFile);

/// <summary>How agents reach and trust the hub.</summary>
internal sealed record AgentsEndpoint
{
    /// <summary>DNS names and addresses that stand in the endpoint's certificate, beside localhost, loopback and the machine's own name.</summary>
    public required ImmutableArray<string> Names { get; init; }

    /// <summary>Null: the hub's authority makes one.</summary>
    public OperatorCertificate? Certificate { get; init; }

    /// <summary>Life of the certificates that nodes are given, <see cref="NodeCertificates.Shortest"/> to <see cref="NodeCertificates.Lifetime"/>; renewal is due after two thirds of it.</summary>
    public TimeSpan CertificateLifetime { get; init; } = NodeCertificates.Lifetime;

    /// <summary>What an agent elsewhere dials: with the first of <see cref="Names"/>, or the machine's host name.</summary>
    public required string PublicUrl { get; init; }

    public static AgentsEndpoint Default { get; } = new() { Names = [], PublicUrl = $"https://{Environment.MachineName.ToLowerInvariant()}:5443" };
}
