using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace FailoverHub.Agent.Identity;

/// <summary>By what the hub is recognised over https. A closed family.</summary>
internal abstract record HubTrust
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1"; // id-kp-serverAuth, RFC 5280 4.2.1.12

    private HubTrust()
    {
    }

    /// <summary>Whether the name in the certificate must be the one that is dialled.</summary>
    protected abstract bool ComparesNames { get; }

    /// <summary>In words, for people: what the hub has to show.</summary>
    public abstract string Describe();

    /// <summary>What the chain of the hub's certificate must fulfil.</summary>
    public X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            // Nothing is asked of anybody on the way to the hub: there may be no way to anybody else.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };

        // Nodes have certificates of the same authority. None of them may pose as the hub.
        policy.ApplicationPolicy.Add(new Oid(ServerUse));
        AddRoots(policy);
        return policy;
    }

    /// <summary>Null: it is the hub. Else why not, in words.</summary>
    /// <param name="errors">As TLS found them by <see cref="Policy"/>.</param>
    /// <param name="shown">What the other side has shown; null: nothing.</param>
    /// <param name="chain">As it was built; null: none was.</param>
    /// <param name="now">Of this machine.</param>
    public string? Refuse(SslPolicyErrors errors, X509Certificate2? shown, X509Chain? chain, DateTimeOffset now)
    {
        if (!ComparesNames)
        {
            errors &= ~SslPolicyErrors.RemoteCertificateNameMismatch;
        }

        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (shown is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
        {
            return "it showed no certificate";
        }

        var states = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        if (states == X509ChainStatusFlags.NotTimeValid)
        {
            return CertificateTimes.Misfit(shown.NotBefore, shown.NotAfter, now);
        }

        if (states.HasFlag(X509ChainStatusFlags.NotValidForUsage))
        {
            return "what it showed is no certificate of a server: something else poses as the hub";
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
            ? $"the certificate that it showed is not {Describe()}"
            : $"its certificate is for other names than the one that was dialled ({shown.GetNameInfo(X509NameType.DnsName, forIssuer: false)}); dial it by one of its own";
    }

    protected abstract void AddRoots(X509ChainPolicy policy);

    /// <summary>The authority that the join token named, and no other. Names are not compared: nobody else has a server's certificate of it.</summary>
    /// <param name="Authority">DER.</param>
    internal sealed record Pinned(ImmutableArray<byte> Authority) : HubTrust
    {
        protected override bool ComparesNames => false;

        public override string Describe() => "signed by the hub's own authority, by which this node knows it";

        public bool Equals(Pinned? other) => other is not null && other.Authority.AsSpan().SequenceEqual(Authority.AsSpan());

        public override int GetHashCode() => Authority.Length;

        protected override void AddRoots(X509ChainPolicy policy) => AddTo(policy, [Authority]);
    }

    /// <summary>Authorities of the operator's own, and the hub's name.</summary>
    /// <param name="Authorities">DER, at least one.</param>
    internal sealed record Given(ImmutableArray<ImmutableArray<byte>> Authorities) : HubTrust
    {
        protected override bool ComparesNames => true;

        public override string Describe() => "signed by an authority of --hub-ca";

        public bool Equals(Given? other) =>
            other is not null && other.Authorities.Length == Authorities.Length && other.Authorities.Zip(Authorities).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second.AsSpan()));

        public override int GetHashCode() => Authorities.Length;

        protected override void AddRoots(X509ChainPolicy policy) => AddTo(policy, Authorities);
    }

    /// <summary>The authorities of this machine, and the hub's name: as any client.</summary>
    internal sealed record OfTheSystem : HubTrust
    {
        protected override bool ComparesNames => true;

        public override string Describe() => "signed by an authority of this machine (another one is named with --hub-ca FILE)";

        protected override void AddRoots(X509ChainPolicy policy)
        {
            // None: those of the machine are asked.
        }
    }

    private static void AddTo(X509ChainPolicy policy, ImmutableArray<ImmutableArray<byte>> authorities)
    {
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        foreach (var authority in authorities)
        {
            policy.CustomTrustStore.Add(X509CertificateLoader.LoadCertificate(authority.AsSpan()));
        }
    }
}
