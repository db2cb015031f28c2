using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Data;

/// <summary>
/// All that the hub keeps. Times are UTC epoch milliseconds, because SQLite cannot order by <see cref="DateTimeOffset"/>; prefixes are
/// CIDR texts. Nothing here says what is so *now*: that is only in memory, and only as long as it is fresh.
/// </summary>
internal sealed class HubDbContext(DbContextOptions<HubDbContext> options) : DbContext(options)
{
    public DbSet<NodeEntity> Nodes => Set<NodeEntity>();

    public DbSet<PairEntity> Pairs => Set<PairEntity>();

    public DbSet<PairMemberEntity> PairMembers => Set<PairMemberEntity>();

    public DbSet<IntentEntity> Intents => Set<IntentEntity>();

    public DbSet<OperationEntity> Operations => Set<OperationEntity>();

    public DbSet<EventEntity> Events => Set<EventEntity>();

    public DbSet<AuditEntity> Audit => Set<AuditEntity>();

    public DbSet<JournalPositionEntity> JournalPositions => Set<JournalPositionEntity>();

    public DbSet<ProbeSampleEntity> ProbeSamples => Set<ProbeSampleEntity>();

    public DbSet<ApiTokenEntity> ApiTokens => Set<ApiTokenEntity>();

    public DbSet<SignInCodeEntity> SignInCodes => Set<SignInCodeEntity>();

    public DbSet<SessionEntity> Sessions => Set<SessionEntity>();

    public DbSet<SettingEntity> Settings => Set<SettingEntity>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<NodeEntity>(e =>
        {
            e.ToTable("Nodes");
            e.HasKey(n => n.Name);
        });
        modelBuilder.Entity<PairEntity>(e =>
        {
            e.ToTable("Pairs");
            e.HasKey(p => p.Id);
            e.HasIndex(p => p.Name).IsUnique();
            e.HasMany(p => p.Members).WithOne().HasForeignKey(m => m.PairId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<PairMemberEntity>(e =>
        {
            e.ToTable("PairMembers");
            e.HasKey(m => m.Node);
        });
        modelBuilder.Entity<IntentEntity>(e =>
        {
            e.ToTable("Intents");
            e.HasKey(i => new { i.Node, i.Revision });
            e.Property(i => i.Stage).HasConversion<string>();
            e.HasIndex(i => i.OperationId);
        });
        modelBuilder.Entity<OperationEntity>(e =>
        {
            e.ToTable("Operations");
            e.HasKey(o => o.Id);
            e.HasIndex(o => o.Number).IsUnique();
            e.HasIndex(o => new { o.PairId, o.Number });
            e.HasIndex(o => o.Status);
            e.Property(o => o.Type).HasConversion<string>();
            e.Property(o => o.Status).HasConversion<string>();
        });
        modelBuilder.Entity<EventEntity>(e =>
        {
            e.ToTable("Events");
            e.HasKey(x => x.Id);
            e.HasIndex(x => new { x.Pair, x.Id });
            e.HasIndex(x => new { x.Node, x.Id });
            e.HasIndex(x => x.OperationId);
            e.HasIndex(x => x.AtMs);
            e.HasIndex(x => new { x.Node, x.BootId, x.JournalSequence }).IsUnique().HasFilter("\"JournalSequence\" IS NOT NULL");
        });
        modelBuilder.Entity<AuditEntity>(e =>
        {
            e.ToTable("Audit");
            e.HasKey(a => a.Id);
            e.Property(a => a.Id).ValueGeneratedNever();
            e.HasIndex(a => a.CorrelationId);
            e.HasIndex(a => a.AtMs);
        });
        modelBuilder.Entity<JournalPositionEntity>(e =>
        {
            e.ToTable("JournalPositions");
            e.HasKey(j => new { j.Node, j.BootId });
        });
        modelBuilder.Entity<ProbeSampleEntity>(e =>
        {
            e.ToTable("ProbeSamples");
            e.HasKey(p => p.Id);
            e.HasIndex(p => new { p.Prefix, p.AtMs });
            e.HasIndex(p => p.AtMs);
        });
        modelBuilder.Entity<ApiTokenEntity>(e =>
        {
            e.ToTable("ApiTokens");
            e.HasKey(t => t.Id);
            e.HasIndex(t => t.Hash).IsUnique();
            e.HasIndex(t => t.Name).IsUnique().HasFilter("\"RevokedAtMs\" IS NULL");
        });
        modelBuilder.Entity<SignInCodeEntity>(e =>
        {
            e.ToTable("SignInCodes");
            e.HasKey(c => c.Hash);
            e.Property(c => c.UsedAtMs).IsConcurrencyToken();
        });
        modelBuilder.Entity<SessionEntity>(e =>
        {
            e.ToTable("Sessions");
            e.HasKey(s => s.Id);
        });
        modelBuilder.Entity<SettingEntity>(e =>
        {
            e.ToTable("Settings");
            e.HasKey(s => s.Key);
        });
    }
}
