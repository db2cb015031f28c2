using System.Collections.Immutable;

namespace FailoverHub.Agent.Checks;

/// <summary>What one run of a check does. A closed family.</summary>
internal abstract record ProbeOptions
{
    private ProbeOptions()
    {
    }

    /// <summary>The stable word of the configuration, the reports and the logs.</summary>
    public abstract string Kind { get; }

    /// <summary>What is probed, for people: <c>127.0.0.1:5432</c>, <c>https://127.0.0.1/health</c>, <c>killall -0 nginx</c>.</summary>
    public abstract string Target { get; }

    /// <summary>A connection is made, and closed.</summary>
    /// <param name="Host">A name, or an address without brackets.</param>
    /// <param name="Port">1 to 65535.</param>
    internal sealed record Tcp(string Host, int Port) : ProbeOptions
    {
        public override string Kind => "tcp";

        public override string Target => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
    }

    /// <summary>A GET; a redirect is an answer like any other and is not followed.</summary>
    /// <param name="Url">Absolute, <c>http</c> or <c>https</c>.</param>
    internal sealed record Http(Uri Url) : ProbeOptions
    {
        /// <summary>Where the connection goes instead of to the host of the URL: a name or an address; null: that host.</summary>
        public string? ConnectTo { get; init; }

        /// <summary>The Host header, and for https the name that is asked for (SNI) and that the certificate has to have; null: of the URL.</summary>
        public string? HostName { get; init; }

        /// <summary>Status codes that are good; empty: 200 to 299.</summary>
        public ImmutableArray<StatusRange> Statuses { get; init; } = [];

        /// <summary>Null: the body is not read.</summary>
        public BodyPattern? Body { get; init; }

        /// <summary>False: whatever certificate comes is good, only its days may still be looked at.</summary>
        public bool VerifyCertificate { get; init; } = true;

        /// <summary>PEM with the certificates that are trusted instead of the system's; null: the system's.</summary>
        public string? CertificateAuthorityFile { get; init; }

        /// <summary>Days for which the certificate must still be valid; null: not looked at beyond its validity.</summary>
        public int? MinimumCertificateDays { get; init; }

        public override string Kind => Url.Scheme;

        public override string Target => Url.ToString();

        public bool Equals(Http? other) =>
            other is not null && Url == other.Url && ConnectTo == other.ConnectTo && HostName == other.HostName && Statuses.AsSpan().SequenceEqual(other.Statuses.AsSpan())
            && Body == other.Body && VerifyCertificate == other.VerifyCertificate && CertificateAuthorityFile == other.CertificateAuthorityFile
            && MinimumCertificateDays == other.MinimumCertificateDays;

        public override int GetHashCode() => HashCode.Combine(Url, ConnectTo, HostName, Body);
    }

    /// <summary>A program is run; exit code 0 is good, as with keepalived's <c>vrrp_script</c>.</summary>
    /// <param name="Arguments">The program and its arguments, at least one; <see cref="CommandWords.Split"/> makes them of a line.</param>
    internal sealed record Command(ImmutableArray<string> Arguments) : ProbeOptions
    {
        /// <summary>Whose rights it has, when the agent runs as root; null: the agent's own.</summary>
        public string? User { get; init; }

        /// <summary>Null: the user's own group.</summary>
        public string? Group { get; init; }

        public override string Kind => "command";

        public override string Target => Arguments is ["/bin/sh", "-c", var line] ? line : string.Join(' ', Arguments);

        public bool Equals(Command? other) =>
            other is not null && User == other.User && Group == other.Group && Arguments.AsSpan().SequenceEqual(other.Arguments.AsSpan());

        public override int GetHashCode() => HashCode.Combine(Arguments.Length, Arguments.FirstOrDefault(), User, Group);
    }

    /// <summary>A process lives: one of this name, the one of the pid file, or with both the one of the pid file if it has the name.</summary>
    /// <param name="Name">As <c>pidof</c> takes it, without a path; null: any.</param>
    /// <param name="PidFile">Null: none.</param>
    internal sealed record Process(string? Name, string? PidFile) : ProbeOptions
    {
        public override string Kind => "process";

        public override string Target => (Name, PidFile) switch
        {
            ({ } name, { } file) => $"{name} ({file})",
            ({ } name, null) => name,
            _ => PidFile ?? "",
        };
    }
}

/// <summary>Status codes from one to the other, both included; 100 to 599.</summary>
internal readonly record struct StatusRange(int First, int Last)
{
    public bool Contains(int status) => status >= First && status <= Last;

    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
