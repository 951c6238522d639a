use et_inspector::ethos_u::*; use et_schema::pte::File;
fn main(){ let a:Vec<String>=std::env::args().collect(); let b=std::fs::read(&a[1]).unwrap(); let f=File::parse(&b).unwrap();
 for m in f.methods(){ for u in units(&f,&m){ let u=u.unwrap(); for o in &u.stream.operations { let e=estimate(o,u.configuration); 
 match &o.kind { Kind::Block(b)=>{println!("{} {} macs {} cyc {} k{:?} ifm {:?} {:?} ofm {:?} {:?} w {:?} s {:?} t {:?}",o.word,b.work.name(),e.macs,e.cycles,b.kernel,b.ifm.shape,b.ifm.ranges().map(|r|r.to_string()).collect::<Vec<_>>(),b.output,b.ofm.ranges().map(|r|r.to_string()).collect::<Vec<_>>(),b.weights.iter().map(|r|r.to_string()).collect::<Vec<_>>(),b.scales.iter().map(|r|r.to_string()).collect::<Vec<_>>(),b.table)}
 Kind::Dma(d)=>println!("{} dma {} -> {}",o.word,d.source,d.destination), k=>println!("{} {:?}",o.word,k)} } for f in u.faults {println!("FAULT {f}")} } } }
